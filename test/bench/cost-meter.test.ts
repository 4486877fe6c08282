import { describe, expect, test } from 'vitest';
import { CostMeter, gbMonths, httpApiUnits, lambdaGbSeconds, queueUnits, usdOf } from '../../bench/cost-meter.ts';
import { PRICES } from '../../bench/prices.ts';

describe('billed units', () => {
  test.each([
    [0, 1],
    [524_288, 1],
    [524_289, 2],
    [1_048_576, 2],
  ])('of the HTTP API: a body of %i bytes is %i requests of 512 KB', (bytes, units) => {
    expect(httpApiUnits(bytes)).toBe(units);
  });

  test.each([
    [0, 1],
    [65_536, 1],
    [65_537, 2],
    [262_144, 4],
  ])('of the queue: %i bytes are %i requests of 64 KB', (bytes, units) => {
    expect(queueUnits(bytes)).toBe(units);
  });

  test('of a function: processor time grows as memory falls below one processor, waiting does not', () => {
    // 10 ms on a whole processor and two waits of 6 ms: 22 ms at 1,769 MB = 0.022 x 1769/1024 GB-s
    expect(lambdaGbSeconds({ memoryMb: 1769, cpuMillis: 10, waits: 2 })).toBeCloseTo(0.038006, 6);
    // half a processor: 20 ms and 12 ms at 884.5 MB = 0.032 x 884.5/1024
    expect(lambdaGbSeconds({ memoryMb: 884.5, cpuMillis: 10, waits: 2 })).toBeCloseTo(0.027641, 6);
    // more memory than one thread can use costs more and takes as long: 22 ms at 3,538 MB
    expect(lambdaGbSeconds({ memoryMb: 3538, cpuMillis: 10, waits: 2 })).toBeCloseTo(0.076012, 6);
  });

  test('of storage: a GB for 30.4375 days is a GB-month', () => {
    expect(gbMonths(1_000_000_000, 30.4375)).toBe(1);
    expect(gbMonths(50_000_000, 60.875)).toBe(0.1);
  });
});

describe('a bill', () => {
  test('is units times prices, per million events', () => {
    // 1,000,000 requests at 1.00 and 2,000,000 queue units at 0.40 a million, 160,000 write units at 0.625 a million
    expect(usdOf({ http_api: 1_000_000 })).toBe(1);
    expect(usdOf({ sqs: 2_000_000 })).toBe(0.8);
    expect(usdOf({ dynamodb_writes: 160_000 })).toBe(0.1);
    expect(usdOf({ dynamodb_gb_months: 2, pitr_gb_months: 2 })).toBe(0.9);
  });

  test('scales each line by the events it was counted over, the dearest line first', () => {
    const meter = new CostMeter();
    meter.add('queue', 'sqs', 3);
    meter.add('door', 'http_api', 1);
    meter.add('door', 'http_api', 1);
    const bill = meter.bill((line) => (line === 'door' ? 4 : 10));
    // the door: 2 requests for 4 events = 500,000 a million = 0.50; the queue: 3 for 10 = 300,000 = 0.12
    expect(bill.map(({ name, units }) => [name, units])).toEqual([
      ['door', { http_api: 500_000 }],
      ['queue', { sqs: 300_000 }],
    ]);
    expect(bill[0]?.usd).toBeCloseTo(0.5, 12);
    expect(bill[1]?.usd).toBeCloseTo(0.12, 12);
  });

  test('knows a source for every price', () => {
    expect(Object.values(PRICES).filter(({ source, usd, per }) => source.length < 5 || usd <= 0 || per <= 0)).toEqual(
      [],
    );
  });
});
