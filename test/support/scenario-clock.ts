import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the clock of a state folder stands when its stack starts: moved later, it would pass the triggers of every day in between. */
export function setClock(folder: string, now: string): void {
  writeFileSync(join(folder, 'clock.json'), JSON.stringify({ offsetMs: Date.parse(now) - Date.now() }));
}
