/** How a chunk lies in a stream record: the adapter's own reading, for the functions behind the log's stream. */
export { chunkFromItem, placeFromItem } from '../../../adapters/dynamodb/usage-log.ts';
