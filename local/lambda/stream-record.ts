/** A stream record as Lambda hands it to a handler: plain JSON, binary as base64, times as seconds. */
import type { AttributeValue, _Record as StreamRecord } from '@aws-sdk/client-dynamodb-streams';
import type { Json, JsonObject } from '../template/json.ts';

export function lambdaStreamRecord(record: StreamRecord, streamArn: string, region: string): JsonObject {
  const change = record.dynamodb ?? {};
  return {
    eventID: record.eventID ?? '',
    eventName: record.eventName ?? '',
    eventVersion: record.eventVersion ?? '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor((change.ApproximateCreationDateTime?.getTime() ?? 0) / 1000),
      ...(change.Keys === undefined ? {} : { Keys: imageJson(change.Keys) }),
      ...(change.NewImage === undefined ? {} : { NewImage: imageJson(change.NewImage) }),
      ...(change.OldImage === undefined ? {} : { OldImage: imageJson(change.OldImage) }),
      SequenceNumber: change.SequenceNumber ?? '',
      SizeBytes: change.SizeBytes ?? 0,
      StreamViewType: change.StreamViewType ?? '',
    },
    eventSourceARN: streamArn,
  };
}

function imageJson(image: Record<string, AttributeValue>): JsonObject {
  return Object.fromEntries(Object.entries(image).map(([name, value]) => [name, valueJson(value)]));
}

function valueJson(value: AttributeValue): Json {
  if (value.B !== undefined) return { B: base64(value.B) };
  if (value.BS !== undefined) return { BS: value.BS.map(base64) };
  if (value.M !== undefined) return { M: imageJson(value.M) };
  if (value.L !== undefined) return { L: value.L.map(valueJson) };
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as JsonObject;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
