/** Small symmetric positive definite systems, by Cholesky's decomposition. */

/** The x of A·x = b; `matrix` by rows, and overwritten. A pivot that is no positive number makes its x 0. */
export function solveSymmetric(matrix: Float64Array, right: Float64Array): Float64Array {
  const size = right.length;
  for (let j = 0; j < size; j++) {
    let pivot = matrix[j * size + j] ?? 0;
    for (let k = 0; k < j; k++) pivot -= (matrix[j * size + k] ?? 0) ** 2;
    const root = pivot > 1e-12 ? Math.sqrt(pivot) : Infinity;
    matrix[j * size + j] = root;
    for (let i = j + 1; i < size; i++) {
      let sum = matrix[i * size + j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (matrix[i * size + k] ?? 0) * (matrix[j * size + k] ?? 0);
      matrix[i * size + j] = sum / root;
    }
  }
  const found = Float64Array.from(right);
  for (let i = 0; i < size; i++) {
    let sum = found[i] ?? 0;
    for (let k = 0; k < i; k++) sum -= (matrix[i * size + k] ?? 0) * (found[k] ?? 0);
    found[i] = sum / (matrix[i * size + i] ?? Infinity);
  }
  for (let i = size - 1; i >= 0; i--) {
    let sum = found[i] ?? 0;
    for (let k = i + 1; k < size; k++) sum -= (matrix[k * size + i] ?? 0) * (found[k] ?? 0);
    found[i] = sum / (matrix[i * size + i] ?? Infinity);
  }
  return found;
}
