/** A process that starts one part and waits to be killed: argument 1 is `dynamodb` or `sqs`, argument 2 its folder. */
import { startDynamoDb } from '../../local/parts/dynamodb.ts';
import { startSqs } from '../../local/parts/sqs.ts';

const [, , part, folder = ''] = process.argv;
const started = part === 'dynamodb' ? await startDynamoDb({ folder }) : await startSqs({ folder });
console.log(JSON.stringify({ pid: started.pid, url: started.url }));
setInterval(() => undefined, 1_000);
