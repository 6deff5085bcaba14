import { describe, expect, test } from 'bun:test';
import { FacetCounts } from './facet-counts.ts';

const hourMs = 3_600_000;

function facetsOf(counts: FacetCounts, owner: number): number[] {
  const found: number[] = [];
  for (let slot = counts.first(owner); slot >= 0; slot = counts.after(slot)) found.push(counts.facetAt(slot));
  return found.sort((a, b) => a - b);
}

describe('FacetCounts', () => {
  test('keeps pairs apart and fades them over a day', () => {
    const counts = new FacetCounts(100);
    counts.growOwners(4);
    counts.add(1, 5, 3, hourMs);
    counts.add(1, 6, 1, hourMs);
    counts.add(2, 5, 9, 25 * hourMs);
    expect(facetsOf(counts, 1)).toEqual([5, 6]);
    const weight = counts.weightAt(counts.find(1, 5)) * counts.factor(25 * hourMs);
    expect(weight).toBeCloseTo(3 / Math.E, 6);
    expect(counts.totalAt(counts.find(2, 5))).toBe(9);
    expect(counts.find(2, 6)).toBe(-1);
  });

  test('weights survive the landmark\'s moves over months', () => {
    const counts = new FacetCounts(10);
    counts.growOwners(2);
    for (let day = 0; day < 100; day++) counts.add(0, 1, 10, day * 24 * hourMs);
    // 10 (1 + e⁻¹ + e⁻² + …)
    expect(counts.weightAt(counts.find(0, 1)) * counts.factor(99 * 24 * hourMs)).toBeCloseTo(10 / (1 - 1 / Math.E), 6);
  });

  test('at the limit the weakest go, and lists stay whole', () => {
    const counts = new FacetCounts(80);
    counts.growOwners(20);
    const before = counts.generation;
    for (let pair = 0; pair < 400; pair++) counts.add(pair % 20, Math.floor(pair / 20), pair + 1, hourMs);
    expect(counts.size).toBeLessThanOrEqual(80);
    expect(counts.generation).toBeGreaterThan(before);
    const listed = Array.from({ length: 20 }, (_, owner) => facetsOf(counts, owner).length).reduce((sum, length) => sum + length, 0);
    expect(listed).toBe(counts.size);
    expect(facetsOf(counts, 19)).toContain(19);
  });

  test('an owner\'s pairs can be let go', () => {
    const counts = new FacetCounts(80);
    counts.growOwners(3);
    counts.add(0, 1, 1, hourMs);
    counts.add(2, 1, 1, hourMs);
    counts.clear(0);
    expect([facetsOf(counts, 0), facetsOf(counts, 2), counts.size]).toEqual([[], [1], 1]);
  });
});
