/** What the demo project sells, as the documents that go over the HTTP API. */
export const DEMO_PROJECT = { id: 'prj_demo', name: 'Demo', mode: 'test' } as const;

export const DEMO_METERS = [
  {
    key: 'api_calls',
    name: 'API calls',
    event_type: 'api_call',
    aggregation: 'count',
    dimensions: ['region'],
    unit: 'calls',
  },
  {
    key: 'tokens',
    name: 'Tokens',
    event_type: 'completion',
    aggregation: 'sum',
    value: 'tokens',
    dimensions: ['model'],
    unit: 'tokens',
  },
  {
    key: 'storage_gb',
    name: 'Peak storage',
    event_type: 'storage',
    aggregation: 'max',
    value: 'gb',
    dimensions: [],
    unit: 'GB',
  },
];

/** The small plan: a shared envelope of included units, and a commitment whose overage costs a tenth more. */
const GROWTH = {
  plan: 'growth',
  name: 'Growth',
  currency: 'USD',
  interval: 'month',
  charges: [
    { kind: 'fixed', key: 'platform', name: 'Platform fee', amount: '49' },
    {
      kind: 'usage',
      key: 'api',
      name: 'API calls',
      meter: 'api_calls',
      allowance: '1000',
      price: { model: 'per_unit', unit_price: '0.004' },
    },
    {
      kind: 'usage',
      key: 'api_eu',
      name: 'API calls, EU region',
      meter: 'api_calls',
      filter: { region: 'eu' },
      price: { model: 'per_unit', unit_price: '0.0055' },
    },
    {
      kind: 'usage',
      key: 'tokens',
      name: 'Tokens',
      meter: 'tokens',
      price: {
        model: 'graduated',
        tiers: [
          { up_to: '250000', unit_price: '0.00002' },
          { up_to: '1000000', unit_price: '0.000015', flat_amount: '1' },
          { up_to: null, unit_price: '0.0000095' },
        ],
      },
    },
    {
      kind: 'usage',
      key: 'storage',
      name: 'Storage',
      meter: 'storage_gb',
      price: { model: 'package', package_size: '10', package_price: '2.5' },
    },
  ],
  envelopes: [
    {
      key: 'credits',
      name: 'Included credits',
      quantity: '100000',
      burn: [
        { charge: 'api_eu', weight: '50' },
        { charge: 'tokens', weight: '1' },
      ],
    },
  ],
  commitment: { amount: '90', term: 'period', true_up: true, overage_factor: '1.1' },
};

/** The large plan, which two customers change to within the month. */
const SCALE = {
  plan: 'scale',
  name: 'Scale',
  currency: 'USD',
  interval: 'month',
  charges: [
    { kind: 'fixed', key: 'platform', name: 'Platform fee', amount: '99' },
    {
      kind: 'usage',
      key: 'api',
      name: 'API calls',
      meter: 'api_calls',
      allowance: '2000',
      price: { model: 'per_unit', unit_price: '0.002' },
    },
    {
      kind: 'usage',
      key: 'api_eu',
      name: 'API calls, EU region',
      meter: 'api_calls',
      filter: { region: 'eu' },
      price: { model: 'per_unit', unit_price: '0.003' },
    },
    {
      kind: 'usage',
      key: 'tokens',
      name: 'Tokens',
      meter: 'tokens',
      price: {
        model: 'volume',
        tiers: [
          { up_to: '500000', unit_price: '0.000012' },
          { up_to: null, unit_price: '0.000009' },
        ],
      },
    },
    {
      kind: 'usage',
      key: 'storage',
      name: 'Storage',
      meter: 'storage_gb',
      price: {
        model: 'stairstep',
        tiers: [
          { up_to: '50', flat_amount: '8' },
          { up_to: '100', flat_amount: '14' },
          { up_to: null, flat_amount: '30' },
        ],
      },
    },
  ],
  commitment: { amount: '150', term: 'period', true_up: true },
};

export type DemoPlan = 'growth' | 'scale';
/** Everybody begins on this one. */
export const DEMO_FIRST_PLAN: DemoPlan = 'growth';
export const DEMO_PLANS = [GROWTH, SCALE];

/** A change of plan at the midnight that begins a day of the customer's month. */
export interface DemoChange {
  readonly customer: string;
  readonly plan: DemoPlan;
  /** 2 to 28. */
  readonly day: number;
  /** Whether fees, allowances, envelopes and commitments of the month are split by days. */
  readonly prorate: boolean;
}

export const DEMO_CHANGES: readonly DemoChange[] = [
  { customer: 'acme', plan: 'scale', day: 16, prorate: true },
  { customer: 'cosmos', plan: 'scale', day: 11, prorate: false },
];

export interface DemoCustomer {
  readonly id: string;
  readonly name: string;
  readonly time_zone: string;
  /** Share of the month's events, in parts of all customers' weights. */
  readonly weight: number;
}

export const DEMO_CUSTOMERS: readonly DemoCustomer[] = [
  { id: 'acme', name: 'Acme Rockets', time_zone: 'America/New_York', weight: 8 },
  { id: 'bolt', name: 'Bolt Logistics', time_zone: 'Europe/Berlin', weight: 5 },
  { id: 'cosmos', name: 'Cosmos Labs', time_zone: 'Asia/Kolkata', weight: 4 },
  { id: 'delta', name: 'Delta Press', time_zone: 'UTC', weight: 2 },
  { id: 'ember', name: 'Ember Studio', time_zone: 'Australia/Lord_Howe', weight: 1 },
];
