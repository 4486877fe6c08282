import * as z from 'zod';
import { contractInputSchema, contractVersionSchema } from '../../../core/catalog/contract.ts';
import { type WriteContractDeps, writeContract } from '../../../core/catalog/write-contract.ts';
import { notFound } from '../../../core/errors.ts';
import type { CustomerId } from '../../../core/ids.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { externalIdText, listOf, pageFields } from '../schemas.ts';

export type ContractDeps = WriteContractDeps;

const EXAMPLE = {
  id: 'acme-2027',
  customer: 'acme',
  plan: 'pro',
  currency: 'USD',
  start: '2027-01-01T00:00:00Z',
  end: '2028-01-01T00:00:00Z',
  overrides: [
    { charge: 'tokens', price: { model: 'per_unit', unit_price: '0.0000012' }, allowance: '500000' },
    { charge: 'seat', amount: '39.00' },
  ],
  commitment: { amount: '1000', term: 'period', true_up: true, overage_factor: '1.2' },
};

export function contractRoutes(deps: ContractDeps): readonly Route[] {
  return [createContract(deps), listContracts(deps), getContract(deps)];
}

function createContract(deps: ContractDeps): Route {
  return route({
    method: 'POST',
    path: '/v1/contracts',
    scope: 'write',
    isCreating: true,
    docs: {
      tag: 'Catalog',
      summary: "Write a customer's contract on a plan, or its next version",
      description:
        'What the contract says beats the plan; `null` takes a term of the plan away; `envelopes` replaces all of the plan. The contract in force at the start of a service prices all of it. At an instant the newest version whose `start` has come counts, until its `end`: a later `start` leaves what was before alone, an earlier `end` ends the contract. Versions never change. Service that is not billed yet is priced by the newest version; invoices keep the version on their lines, late usage included, unless a version has `corrects_from`: then service that begins at that time or later is priced again, and the difference comes as adjustment lines. The plan with the contract laid over it keeps every rule of a plan, in its newest version and in those the customer is on.',
      bodyShown: contractInputSchema,
      answers: { 201: contractVersionSchema, 200: contractVersionSchema },
      errors: [
        'contract_invalid',
        'contract_too_large',
        'customer_not_found',
        'contract_exists',
        'contract_overlaps',
        'too_many_contracts',
        'write_contended',
      ],
      example: EXAMPLE,
    },
    async handle({ project, body }) {
      const { version, isNew } = await writeContract({ project, contract: body }, deps);
      return jsonAnswer(isNew ? 201 : 200, version);
    },
  });
}

function listContracts(deps: ContractDeps): Route {
  const query = z.strictObject({ ...pageFields, customer: externalIdText.optional() });
  return route({
    method: 'GET',
    path: '/v1/contracts',
    scope: 'read',
    query,
    docs: {
      tag: 'Catalog',
      summary: 'List the newest versions of all contracts, or every version of those of one customer (on one page)',
      answers: { 200: listOf(contractVersionSchema) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query: { customer, ...page } }) {
      if (customer !== undefined) {
        const { versions } = await deps.contracts.ofCustomer(project, customer as CustomerId);
        return jsonAnswer(200, { data: versions, nextCursor: null });
      }
      const { items, cursor } = await deps.contracts.list(project, pageOf(page));
      return jsonAnswer(200, { data: items, nextCursor: cursor });
    },
  });
}

function getContract(deps: ContractDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/contracts/{id}',
    scope: 'read',
    docs: {
      tag: 'Catalog',
      summary: 'Get the newest version of a contract',
      answers: { 200: contractVersionSchema },
      errors: ['contract_not_found'],
    },
    async handle({ project, params }) {
      return jsonAnswer(200, await newestContract(deps, project, params.id ?? ''));
    },
  });
}

export async function newestContract(
  deps: ContractDeps,
  project: Parameters<ContractDeps['contracts']['newest']>[0],
  id: string,
) {
  const found = id === '' ? undefined : await deps.contracts.newest(project, id);
  if (found) return found;
  throw notFound('contract_not_found', `No contract ${id.slice(0, 80)} in this project.`);
}
