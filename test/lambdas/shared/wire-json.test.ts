import { describe, expect, it } from 'vitest';
import { plainDecimal } from '../../../core/money/plain-decimal.ts';
import { fromWire, parseJson, toWire } from '../../../lambdas/shared/wire-json.ts';

describe('JSON without lost digits', () => {
  it('keeps every digit of a literal of 16 or more digits as a string', () => {
    expect(parseJson('{"v": 12345678901234567890}')).toEqual({ v: '12345678901234567890' });
    expect(parseJson('[1234567890123456]')).toEqual(['1234567890123456']);
    expect(parseJson('{"v":0.123456789012345}')).toEqual({ v: '0.123456789012345' });
    expect(parseJson('{"v": -99999999999.999999}')).toEqual({ v: '-99999999999.999999' });
    expect(parseJson('1234567890123456')).toBe('1234567890123456');
  });

  it('leaves literals of up to 15 digits as numbers, whatever stands beside them', () => {
    expect(parseJson('{"a": 123456789012345, "b": 0.1}')).toEqual({ a: 123456789012345, b: 0.1 });
    expect(parseJson('{"a": 1.5, "b": 12345678901234567}')).toEqual({ a: 1.5, b: '12345678901234567' });
  });

  it('writes exponents out', () => {
    expect(parseJson('{"a": 1e3, "b": 1.5E-3, "c": -2.50e1, "d": 0e0}')).toEqual({
      a: '1000',
      b: '0.0015',
      c: '-25.0',
      d: '0',
    });
    expect(parseJson('[1e400]')).toEqual(['1e400']);
  });

  it('does not touch digits inside strings', () => {
    expect(parseJson('{"id": "x, 12345678901234567890", "n": 1}')).toEqual({ id: 'x, 12345678901234567890', n: 1 });
  });

  it('writes the small numbers of JavaScript in plain notation', () => {
    expect(plainDecimal(String(0.0000001))).toBe('0.0000001');
    expect(plainDecimal('1e+21')).toBe('1000000000000000000000');
    expect(plainDecimal('12.5e0')).toBe('12.5');
  });

  it('refuses what is not JSON with the code invalid_json', () => {
    for (const text of ['', '{', '{"a":01}', '[1,]', 'NaN']) {
      expect(() => parseJson(text)).toThrow(expect.objectContaining({ code: 'invalid_json', kind: 'invalid' }));
    }
  });
});

describe('the border between camelCase and snake_case', () => {
  it('converts keys at every depth and leaves maps that belong to the caller alone', () => {
    const wire = {
      event_type: 'x',
      charges: [{ up_to: '5', filter: { Region_Name: ['a'] } }],
      metadata: { camelKey: 1, snake_key: 2 },
    };
    const core = {
      eventType: 'x',
      charges: [{ upTo: '5', filter: { Region_Name: ['a'] } }],
      metadata: { camelKey: 1, snake_key: 2 },
    };
    expect(fromWire(wire)).toEqual(core);
    expect(toWire(core)).toEqual(wire);
  });

  it('refuses a field written in camelCase and names the right spelling', () => {
    expect(() => fromWire({ charges: [{ upTo: 1 }] })).toThrow(
      expect.objectContaining({
        code: 'unknown_field',
        faults: [expect.objectContaining({ field: 'charges[0].upTo', got: 'upTo', expected: 'up_to' })],
      }),
    );
  });

  it('keeps the prototype of objects out of reach', () => {
    const value = fromWire(JSON.parse('{"__proto__": {"admin": true}, "ok": 1}'));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect((value as { admin?: boolean }).admin).toBeUndefined();
  });

  it('writes bigints as decimal strings and leaves undefined members out', () => {
    expect(toWire({ totalMinor: 12345678901234567890n, gone: undefined, none: null })).toEqual({
      total_minor: '12345678901234567890',
      none: null,
    });
  });
});
