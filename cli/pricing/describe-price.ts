/** Charges and quantities of a request in words, for people who do not read JSON. */
type Part = Readonly<Record<string, unknown>>;

/** One line per charge: what it costs. */
export function describeCharge(charge: Part, currency: string, unit: string): string {
  const name = `**${String(charge.name)}**`;
  if (charge.kind === 'fixed') {
    const timing = charge.timing === 'in_advance' ? 'in advance' : 'in arrears';
    return `${name}: ${grouped(charge.amount)} ${currency} a period, ${timing}${optionsOf(charge, currency, unit)}`;
  }
  return `${name}: ${describePrice(charge.price as Part, currency, unit)}${optionsOf(charge, currency, unit)}`;
}

/** What a plan says beside its charges, one line each. */
export function describePlan(request: Part): string[] {
  const currency = String(request.currency);
  const commitment = request.commitment as Part | undefined;
  const conversion = request.conversion as Part | undefined;
  const envelopes = ((request.envelopes ?? []) as readonly Part[]).map((envelope) => {
    const burn = (envelope.burn as readonly Part[]).map(({ charge, weight }) => `${charge} at ${weight}`);
    return `**${envelope.name}**: ${grouped(envelope.quantity)} a period, for ${burn.join(', then ')}`;
  });
  const factor = commitment?.overage_factor;
  const contract = request.contract as Part | undefined;
  return [
    ...envelopes,
    ...contractTexts(contract, currency),
    ...(commitment === undefined
      ? []
      : [
          `**Commitment**: ${grouped(commitment.amount)} ${currency} a period${factor === undefined ? '' : `; beyond it ${factor} times the price`}`,
        ]),
    ...(conversion === undefined ? [] : [`**Billed in ${conversion.currency}**: ${conversion.rate} for 1 ${currency}`]),
  ];
}

function contractTexts(contract: Part | undefined, currency: string): string[] {
  return ((contract?.overrides ?? []) as readonly Part[]).map((override) => {
    const price = override.price === undefined ? [] : [describePrice(override.price as Part, currency, 'units')];
    const options = optionsOf(override, currency, 'units').split('; ').slice(1);
    return `**Contract** on ${override.charge}: ${[...price, ...options].join('; ')}`;
  });
}

function describePrice(price: Part, currency: string, unit: string): string {
  switch (price.model) {
    case 'per_unit':
      return `${grouped(price.unit_price)} ${currency} per ${singular(unit)}`;
    case 'package':
      return `${grouped(price.package_price)} ${currency} per package of ${grouped(price.package_size)} ${unit} begun`;
    case 'percentage':
      return `${price.rate} % ${percentageParts(price, currency)}`.trimEnd();
    case 'dynamic':
      return `what the events cost, times ${price.multiplier ?? '1'}`;
    case 'matrix':
      return matrixText(price, currency, unit);
    default:
      return tiersText(price, currency, unit);
  }
}

function percentageParts(price: Part, currency: string): string {
  const parts = [
    price.fixed_fee === undefined ? null : `+ ${price.fixed_fee} ${currency} a transaction`,
    price.free_events === undefined ? null : `the first ${price.free_events} transactions free`,
    price.free_amount === undefined ? null : `the first ${grouped(price.free_amount)} ${currency} free`,
    price.transaction_minimum === undefined ? null : `at least ${price.transaction_minimum} ${currency} each`,
    price.transaction_maximum === undefined ? null : `at most ${price.transaction_maximum} ${currency} each`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

function matrixText(price: Part, currency: string, unit: string): string {
  const entries = (price.prices as readonly Part[]).map(
    ({ match, unit_price }) => `${Object.values(match as Part).join('/')} ${unit_price}`,
  );
  return `${currency} per ${singular(unit)}: ${entries.join(', ')}, all else ${price.default_unit_price}`;
}

const HOW: Readonly<Record<string, string>> = {
  graduated: 'each slice at its own price',
  volume: 'all of it at the price of the tier reached',
  stairstep: 'the amount of the tier reached',
  graduated_percentage: 'each slice at its own rate',
};

function tiersText(price: Part, currency: string, unit: string): string {
  const tiers = price.tiers as readonly Part[];
  const texts = tiers.map((tier, index) => {
    const parts = [
      tier.unit_price === undefined ? null : `${tier.unit_price} ${currency} per ${singular(unit)}`,
      tier.rate === undefined ? null : `${tier.rate} %`,
      tier.flat_amount === undefined ? null : `${grouped(tier.flat_amount)} ${currency} flat`,
    ];
    const range = tier.up_to === null ? (index === 0 ? 'any quantity' : 'above') : `up to ${grouped(tier.up_to)}`;
    return `${range}: ${parts.filter((part) => part !== null).join(' and ')}`;
  });
  const zero = price.flat_at_zero === true ? ', due at zero too' : '';
  return `${texts.join('; ')} (${HOW[String(price.model)]}${zero})`;
}

function optionsOf(charge: Part, currency: string, unit: string): string {
  const discount = charge.discount as Part | undefined;
  const parts = [
    charge.allowance === undefined ? null : `${grouped(charge.allowance)} ${unit} included`,
    charge.minimum === undefined ? null : `at least ${charge.minimum} ${currency}`,
    charge.maximum === undefined ? null : `at most ${charge.maximum} ${currency}`,
    discount?.percent === undefined ? null : `${discount.percent} % off`,
    discount?.amount === undefined ? null : `${discount.amount} ${currency} off`,
  ];
  return parts
    .filter((part) => part !== null)
    .map((part) => `; ${part}`)
    .join('');
}

function singular(unit: string): string {
  return unit.endsWith('s') ? unit.slice(0, -1) : unit;
}

/** A decimal with its thousands apart: "1,234,567.8". Anything else as it is. */
export function grouped(value: unknown): string {
  const [, sign = '', whole = '', rest = ''] = /^(-?)(\d+)(\.\d+)?$/.exec(String(value)) ?? [];
  if (whole === '') return String(value);
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, ',')}${rest}`;
}
