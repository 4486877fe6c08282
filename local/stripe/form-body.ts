/** A form value: text, or fields by name (arrays come as fields named 0, 1, 2 ...). */
export type FormValue = string | FormFields;
export interface FormFields {
  [name: string]: FormValue;
}

/** Decodes `a[b][0]=c&d=e` into nested fields. Fields have no prototype, so a name such as `__proto__` is only a name. */
export function decodeForm(text: string): FormFields {
  const root = emptyFields();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const cut = pair.indexOf('=');
    const name = decodeURIComponent((cut < 0 ? pair : pair.slice(0, cut)).replaceAll('+', ' '));
    const value = cut < 0 ? '' : decodeURIComponent(pair.slice(cut + 1).replaceAll('+', ' '));
    place(root, pathOf(name), value);
  }
  return root;
}

function emptyFields(): FormFields {
  return Object.create(null) as FormFields;
}

function pathOf(name: string): string[] {
  const open = name.indexOf('[');
  if (open <= 0 || !name.endsWith(']')) return [name];
  return [name.slice(0, open), ...name.slice(open + 1, -1).split('][')];
}

function place(root: FormFields, path: readonly string[], value: string): void {
  let here = root;
  for (const [depth, step] of path.entries()) {
    // `expand[]=a&expand[]=b` appends
    const name = step === '' ? String(Object.keys(here).length) : step;
    if (depth === path.length - 1) {
      here[name] = value;
      return;
    }
    const next = here[name];
    if (next !== undefined && typeof next !== 'string') here = next;
    else {
      const made = emptyFields();
      here[name] = made;
      here = made;
    }
  }
}
