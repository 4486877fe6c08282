import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pricingPage } from './pricing/pricing-page.ts';

/** `npm run pricing`: writes docs/pricing.md from its executable examples. */
writeFileSync(join(import.meta.dirname, '../docs/pricing.md'), await pricingPage());
