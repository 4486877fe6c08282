import { amountOf, cents, major, onlyLine, quantityOf, sum, times } from './amounts.ts';
import { type Part, perUnit, quantityRequest, tiersOf, usageCharge } from './requests.ts';
import { differs, list, type Mapper, member, type Reproduction, type Treatment, text } from './vector.ts';

/** Lago's charge models over one quantity. */
function exact(price: Part, units: string, more: { charge?: Part; option?: string } = {}): Reproduction {
  return {
    kind: 'reproduced',
    ...(more.option !== undefined && { option: more.option }),
    requests: [quantityRequest(price, units, { ...(more.charge && { charge: more.charge }) })],
    read: ([answer]) => ({ amount: answer && onlyLine(answer).exact_amount }),
  };
}

const standard: Mapper = ({ properties, usage }) =>
  exact(perUnit(text(properties, 'unitAmount')), text(usage, 'units'));

const graduated: Mapper = ({ properties, usage }) =>
  exact({ model: 'graduated', tiers: tiersOf(properties) }, text(usage, 'units'));

const graduatedPercentage: Mapper = ({ properties, usage }) =>
  exact({ model: 'graduated_percentage', tiers: tiersOf(properties) }, text(usage, 'units'));

const packages: Mapper = ({ properties, usage }) =>
  exact(
    {
      model: 'package',
      package_size: text(properties, 'packageSize'),
      package_price: text(properties, 'packageAmount'),
    },
    text(usage, 'units'),
    { charge: { allowance: text(properties, 'freeUnits') }, option: '`allowance` for free units' },
  );

const volume: Mapper = ({ properties, usage }) => {
  if (member(properties, 'prorated') === true) {
    return differs('the tier is that of the quantity which is priced, a level over time included');
  }
  const price = { model: 'volume', tiers: tiersOf(properties), flat_at_zero: true };
  return exact(price, text(usage, 'units'), text(usage, 'units') === '0' ? { option: '`flat_at_zero`' } : {});
};

/** One tier of several: what lies below it is a tier that costs nothing. */
const tierDetail =
  (model: 'graduated' | 'graduated_percentage'): Mapper =>
  ({ properties, usage }) => {
    const tier = member(properties, 'tier');
    const [one] = tiersOf({ tiers: [tier] });
    const from = text(tier, 'from');
    // tiers that do not touch begin one unit above the end of the tier before
    const below = member(properties, 'adjacent') === true ? from : sum([from, '-1']);
    const free = model === 'graduated' ? { unit_price: '0' } : { rate: '0' };
    const isFirst = from === '0';
    const tiers = [
      ...(isFirst ? [] : [{ up_to: below, ...free }]),
      { ...one, up_to: text(tier, 'to') },
      { ...free, up_to: null },
    ];
    const key = isFirst ? 'tier-1' : 'tier-2';
    return {
      kind: 'reproduced',
      requests: [quantityRequest({ model, tiers }, text(usage, 'units'))],
      read: ([answer]) => {
        if (answer === undefined) return {};
        const line = onlyLine(answer);
        return {
          tierUnits: quantityOf(line, `${key}/usage`),
          amount: amountOf(line, `${key}/usage`, `${key}/flat`),
        };
      },
    };
  };

const dynamic: Mapper = ({ properties, usage, expected }) => {
  if (member(properties, 'groupBy') !== undefined)
    return dynamicGroups(list(usage, 'groups'), list(expected, 'groups'));
  if (text(usage, 'units') === '0') return differs('an event brings its own amount, whatever its units');
  return exact({ model: 'dynamic' }, major(text(usage, 'preciseTotalCents')));
};

function dynamicGroups(groups: readonly unknown[], expected: readonly unknown[]): Treatment {
  const clouds = groups.map((group) => text(group, 'cloud'));
  return {
    kind: 'reproduced',
    option: 'a charge per value by `filter`',
    requests: [
      {
        currency: 'USD',
        meters: [{ key: 'usage', aggregation: 'sum', dimensions: ['cloud'] }],
        charges: clouds.map((cloud) => usageCharge({ model: 'dynamic' }, { key: cloud, filter: { cloud } })),
        usage: groups.map((group) => ({
          meter: 'usage',
          quantity: major(text(group, 'preciseTotalCents')),
          dimensions: { cloud: text(group, 'cloud') },
        })),
      },
    ],
    read: ([answer]) => ({
      groups: answer?.lines.map((line, index) => unitAmount(line.exact_amount, groups[index], expected[index])),
    }),
  };
}

/** Of the units used: the amount has to be that many times the unit amount, for there is no division here. */
function unitAmount(amount: string, group: unknown, expected: unknown) {
  const unit = text(expected, 'unitAmount');
  const cloud = text(group, 'cloud');
  return { cloud, unitAmount: sum([times(unit, text(group, 'units'))]) === amount ? unit : `${amount} in all` };
}

const custom: Mapper = ({ usage }) =>
  exact({ model: 'dynamic' }, text(usage, 'customAmount'), { option: 'the event brings its amount: `dynamic`' });

const adjustedFee: Mapper = ({ usage }) => ({
  kind: 'reproduced',
  requests: [quantityRequest(perUnit(major(text(usage, 'unitCents'))), text(usage, 'units'))],
  read: ([answer]) => ({ amountCents: answer && cents(onlyLine(answer).amount) }),
});

export const LAGO_MODELS: Readonly<Record<string, Mapper>> = {
  standard,
  standard_instant_estimate: standard,
  graduated,
  graduated_tier_detail: tierDetail('graduated'),
  graduated_percentage: graduatedPercentage,
  graduated_percentage_tier_detail: tierDetail('graduated_percentage'),
  package: packages,
  volume,
  dynamic,
  custom,
  adjusted_fee: adjustedFee,
};
