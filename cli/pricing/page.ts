import type { EstimateAnswer, EstimateCall, EstimatedLine, EstimateRequest } from '../estimate-api.ts';
import { describeCharge, describePlan, grouped } from './describe-price.ts';
import type { ExamplePart, PricingExample, PricingSection } from './example.ts';
import type { RefusedExample } from './examples/refused.ts';

type Part = Readonly<Record<string, unknown>>;
export type Call = (request: EstimateRequest) => Promise<EstimateCall>;

/** A section with the answers of its estimates. Throws where one is not what was worked out by hand. */
export async function sectionText(section: PricingSection, call: Call): Promise<string> {
  const examples: string[] = [];
  for (const example of section.examples) examples.push(await exampleText(example, call));
  return `## ${section.title}\n\n${section.text}\n\n${examples.join('\n')}`;
}

async function exampleText({ title, rule, used, parts }: PricingExample, call: Call): Promise<string> {
  const texts: string[] = [];
  for (const part of parts) texts.push(await partText(title, part, call));
  return `### ${title}\n\n${rule}\n\n*What was used*: ${used}\n\n${texts.join('\n')}`;
}

async function partText(title: string, part: ExamplePart, call: Call): Promise<string> {
  const { status, body } = await call(part.request);
  if (status !== 200) throw new Error(`${title} is refused: ${JSON.stringify(body)}`);
  const answer = body as EstimateAnswer;
  const added = answer.adjustments?.total;
  if (answer.total !== part.total || added !== part.added) {
    throw new Error(`${title} comes to ${answer.total} (${added}), worked out by hand: ${part.total} (${part.added})`);
  }
  const prices = pricesOf(part.request).map((price) => `- ${price}`);
  return [
    ...(part.of === undefined ? [] : [`**${part.of}**`, '']),
    ...['Price:', '', ...prices, ''],
    rowsOf(answer),
    '',
    `${grouped(answer.total)} ${answer.currency}: ${part.sum}`,
    '',
    '<details><summary>Request</summary>',
    '',
    '```json',
    JSON.stringify(part.request, null, 2),
    '```',
    '',
    '</details>',
    '',
  ].join('\n');
}

function pricesOf(request: EstimateRequest): string[] {
  const meters = (request.meters ?? []) as readonly Part[];
  const charges = (request.charges as readonly Part[]).map((charge) => {
    const unit = meters.find(({ key }) => key === charge.meter)?.unit;
    return describeCharge(charge, String(request.currency), String(unit ?? 'units'));
  });
  return [...charges, ...describePlan(request)];
}

const HEAD = ['| Row | Quantity | Price | Amount |', '| --- | ---: | ---: | ---: |'];

function rowsOf({ lines, total, adjustments, currency }: EstimateAnswer): string {
  const rows = lines.flatMap((line) => rowsOfLine(line, currency));
  const all = `| **Total** | | | **${grouped(total)}** |`;
  if (adjustments === null) return [...HEAD, ...rows, all].join('\n');
  const later = adjustments.lines.map(
    ({ description, amount }) => `| Adjustment: ${description} | | | ${grouped(amount)} |`,
  );
  return [...HEAD, ...rows, all, ...later, `| **Next invoice adds** | | | **${grouped(adjustments.total)}** |`].join(
    '\n',
  );
}

function rowsOfLine(line: EstimatedLine, currency: string): string[] {
  const steps = line.steps.map((step) => {
    const price = step.unit_price ?? step.flat_amount;
    const fraction = step.fraction === null || price === null ? '' : ` x ${step.fraction}`;
    return `| ${step.label} | ${grouped(step.quantity ?? '')} | ${grouped(price ?? '')}${fraction} | ${grouped(step.amount)} |`;
  });
  const carried = /[1-9]/.test(line.carried) ? `, ${grouped(line.carried)} carried` : '';
  return [...steps, `| **${line.description}**, rounded to ${currency}${carried} | | | **${grouped(line.amount)}** |`];
}

/** The faults of requests that are refused, as the API answers them. */
export async function refusedText(examples: readonly RefusedExample[], call: Call): Promise<string> {
  const rows: string[] = [];
  for (const { what, request } of examples) {
    const { status, body } = await call(request);
    const faults = (body as { faults?: readonly Record<'field' | 'code' | 'detail', string>[] }).faults ?? [];
    if (status !== 400 || faults.length === 0) throw new Error(`${what} is not refused: ${JSON.stringify(body)}`);
    rows.push(...faults.map(({ field, code, detail }) => `| ${what} | \`${field}\` | \`${code}\` | ${cell(detail)} |`));
  }
  return ['| What | Field | Code | Answer |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

/** The fields of the request from its schema. */
export function fieldsText(schema: Part): string {
  const fields = Object.entries(schema.properties as Record<string, Part>);
  const described = fields.filter(([, field]) => typeof field.description === 'string');
  const rows = described.map(([name, field]) => `| \`${name}\` | ${cell(String(field.description))} |`);
  return ['| Field | Meaning |', '| --- | --- |', ...rows, ''].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
