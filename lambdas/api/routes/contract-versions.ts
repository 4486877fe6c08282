import { contractVersionSchema } from '../../../core/catalog/contract.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { type Route, route } from '../route.ts';
import { listOf } from '../schemas.ts';
import { type ContractDeps, newestContract } from './contracts.ts';

export function contractVersionsRoute(deps: ContractDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/contracts/{id}/versions',
    scope: 'read',
    docs: {
      tag: 'Catalog',
      summary: 'List the versions of a contract (on one page)',
      answers: { 200: listOf(contractVersionSchema) },
      errors: ['contract_not_found'],
    },
    async handle({ project, params }) {
      const { id, customer } = await newestContract(deps, project, params.id ?? '');
      const { versions } = await deps.contracts.ofCustomer(project, customer);
      return jsonAnswer(200, { data: versions.filter((version) => version.id === id), nextCursor: null });
    },
  });
}
