import type { MeterStore, PriceListStore } from '../../../core/catalog/ports.ts';
import { priceListInputSchema, priceListVersionSchema } from '../../../core/catalog/price-list.ts';
import { writePriceList } from '../../../core/catalog/write-price-list.ts';
import { notFound } from '../../../core/errors.ts';
import { currencySchema } from '../../../core/money/currency.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { listOf, pageQuery } from '../schemas.ts';

export interface PriceListDeps {
  readonly lists: PriceListStore;
  readonly meters: MeterStore;
}

const EXAMPLE = {
  currency: 'USD',
  charges: [
    {
      kind: 'usage',
      key: 'storage',
      name: 'Storage',
      meter: 'storage',
      price: { model: 'per_unit', unit_price: '0.10' },
    },
  ],
};

export function priceListRoutes(deps: PriceListDeps): readonly Route[] {
  return [createList(deps), listLists(deps), getList(deps)];
}

function createList(deps: PriceListDeps): Route {
  return route({
    method: 'POST',
    path: '/v1/price-lists',
    scope: 'write',
    isCreating: true,
    docs: {
      tag: 'Catalog',
      summary: "Write the project's default prices in a currency, or their next version",
      description:
        'The list prices usage of meters that none of the plans a customer is on prices, in any currency. Usage of a meter is billed with the first of the active subscriptions, by start and id, that is billed in a currency whose list prices it. Versions never change; service that is not billed yet is priced by the newest, and invoices keep the version on their lines. An empty list prices nothing.',
      bodyShown: priceListInputSchema,
      answers: { 201: priceListVersionSchema, 200: priceListVersionSchema },
      errors: ['price_list_invalid', 'price_list_too_large', 'write_contended'],
      example: EXAMPLE,
    },
    async handle({ project, body }) {
      const { version, isNew } = await writePriceList({ project, list: body }, deps);
      return jsonAnswer(isNew ? 201 : 200, version);
    },
  });
}

function listLists(deps: PriceListDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/price-lists',
    scope: 'read',
    query: pageQuery,
    docs: {
      tag: 'Catalog',
      summary: 'List every version of every price list, by currency and version',
      answers: { 200: listOf(priceListVersionSchema) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query }) {
      const { items, cursor } = await deps.lists.list(project, pageOf(query));
      return jsonAnswer(200, { data: items, nextCursor: cursor });
    },
  });
}

function getList(deps: PriceListDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/price-lists/{currency}',
    scope: 'read',
    docs: {
      tag: 'Catalog',
      summary: 'Get the newest version of a price list',
      answers: { 200: priceListVersionSchema },
      errors: ['price_list_not_found'],
    },
    async handle({ project, params }) {
      const currency = currencySchema.safeParse(params.currency).data;
      const found = currency && (await deps.lists.newest(project, currency));
      if (found) return jsonAnswer(200, found);
      throw notFound('price_list_not_found', `No price list in ${(params.currency ?? '').slice(0, 16)}.`);
    },
  });
}
