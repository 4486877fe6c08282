/** A process that starts executions one after another until it is killed: arguments are endpoint, access key, machine. */
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';

const [, , endpoint = '', accessKeyId = '', stateMachineArn = ''] = process.argv;
const client = new SFNClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey: 'local' } });
for (let n = 0; ; n++) await client.send(new StartExecutionCommand({ stateMachineArn, name: `run-${n}` }));
