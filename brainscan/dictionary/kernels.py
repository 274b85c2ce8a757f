"""Sparse CPU arithmetic: what a code of k features a token needs, and nothing dense.

Every kernel is single-threaded, releases the interpreter's lock and is called on a slice of tokens or
of features by a pool of plain threads (``pool``). Nothing is written by two threads and every sum has a
fixed order, so results are the same bit for bit for any number of threads.

    select_top     pre-activations [n, F] -> codes        token by token
    reconstruct    codes -> error, slope of the codes     token by token, k rows of W_dec
    sort_pairs     (token, feature) pairs -> by feature   so that no two threads meet in a weight's gradient

Indices are int32; a feature that is not used has value 0 behind ``active``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
Array = NDArray[Any]

FAST = {"reassoc", "contract", "nsz", "arcp"}
"""Sums may be regrouped and products fused, so that they vectorise. NaN and infinity keep their meaning."""

_HALVINGS = 7


class SparseCodes(NamedTuple):
    """Codes of n tokens; entries from ``active[t]`` on are unused and hold feature 0 and value 0."""

    feature: I32  # [n, k]
    value: F32  # [n, k]
    active: I32  # [n]


class Pairs(NamedTuple):
    """Active (feature, token) pairs with what the weight gradients need of each."""

    feature: I32  # [p]
    value: F32  # [p] the code
    slope: F32  # [p] d loss / d code
    error_row: I32  # [p] row of the errors that it multiplies
    x_row: I32  # [p] row of the inputs that its slope multiplies


def empty_codes(n: int, k: int) -> SparseCodes:
    """Codes with nothing active."""
    return SparseCodes(np.zeros((n, k), np.int32), np.zeros((n, k), np.float32), np.zeros(n, np.int32))


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def select_top(pre: F32, bias: F32, k: int, codes: SparseCodes) -> None:
    """The k largest positive values of each row of ``pre + bias`` [n, F], in order of their index.

    One vectorised pass takes the maximum of each of many lanes (every 256th value or so). A bound that
    at least k lanes reach is one that at least k values reach, so only those lanes are looked at again.
    Equal values at the border: the lower index wins.
    """
    n, width = pre.shape
    best = np.empty(_lanes(width, k), np.float32)
    good = np.empty(best.size, np.int64)
    spots = np.empty(width, np.int32)
    values = np.empty(width, np.float32)
    scratch = np.empty(width, np.float32)
    for t in range(n):
        _lane_maxima(pre[t], bias, best)
        found = _reach(pre[t], bias, best, _bound(best, k), good, spots, values)
        _keep_top(spots, values, found, k, scratch, codes, t)


@njit(nogil=True, cache=True)
def _lanes(width: int, k: int) -> int:
    """Into how many lanes a row is dealt: at least 4 k, so that the k-th best lane bounds the k-th value well."""
    wanted = 256 if width <= 8192 else 512 if width <= 32768 else 1024
    while wanted < 4 * k:
        wanted *= 2
    return wanted


@njit(nogil=True, cache=True)
def _reach(row: F32, bias: F32, best: F32, bound: np.float32, good: Array, spots: I32, values: F32) -> int:
    """Positive values that reach ``bound``, in order of their place; returns how many."""
    n_good, found = 0, 0
    for lane in range(best.size):
        if best[lane] >= bound and best[lane] > 0:
            good[n_good] = lane
            n_good += 1
    for start in range(0, row.size, best.size):
        for q in range(n_good):
            i = start + good[q]
            if i < row.size:
                v = row[i] + bias[i]
                if v >= bound and v > 0:
                    spots[found], values[found] = i, v
                    found += 1
    return found


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _lane_maxima(row: F32, bias: F32, best: F32) -> None:
    """best[l] = the largest of row + bias at places l, l + lanes, l + 2 lanes, ..."""
    width, lanes = row.size, best.size
    best[:] = -np.inf
    at = 0
    while at + 4 * lanes <= width:
        _four(row[at : at + 4 * lanes], bias[at : at + 4 * lanes], best)
        at += 4 * lanes
    for i in range(at, width):
        lane = (i - at) % lanes
        v = row[i] + bias[i]
        best[lane] = v if v > best[lane] else best[lane]


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy", inline="always")
def _four(row: F32, bias: F32, best: F32) -> None:
    # Four stretches at a time, each a slice of its own: written so, LLVM vectorises it (five times as fast).
    n = best.size
    a, b, c, d = row[:n], row[n : 2 * n], row[2 * n : 3 * n], row[3 * n :]
    e, f, g, h = bias[:n], bias[n : 2 * n], bias[2 * n : 3 * n], bias[3 * n :]
    for lane in range(n):
        x, y, z, w = a[lane] + e[lane], b[lane] + f[lane], c[lane] + g[lane], d[lane] + h[lane]
        x = y if y > x else x
        z = w if w > z else z
        x = z if z > x else x
        best[lane] = x if x > best[lane] else best[lane]


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _bound(best: F32, k: int) -> np.float32:
    """A value that at least k of the maxima reach (0 if fewer are positive), close to the k-th, by bisection."""
    lo, hi = np.float32(0), np.float32(0)
    for v in best:
        hi = max(hi, v)
    for _ in range(_HALVINGS):
        middle = np.float32(0.5) * (lo + hi)
        reached = np.int32(0)
        for v in best:
            reached += np.int32(1) if v >= middle else np.int32(0)
        if reached >= k:
            lo = middle
        else:
            hi = middle
    return lo


@njit(nogil=True, cache=True)
def _kth_largest(values: F32, n: int, k: int) -> np.float32:
    """The k-th largest of the first n values (the smallest, if k > n); reorders them. Hoare's selection."""
    k = min(k, n)
    lo, hi, target = 0, n - 1, k - 1
    while lo < hi:
        pivot = values[(lo + hi) >> 1]
        i, j = lo, hi
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if target <= j:
            hi = j
        elif target >= i:
            lo = i
        else:
            break
    return values[target]


@njit(nogil=True, cache=True)
def _keep_top(spots: I32, values: F32, found: int, k: int, scratch: F32, codes: SparseCodes, t: int) -> None:
    bound = np.float32(0)
    if found > k:
        scratch[:found] = values[:found]
        bound = _kth_largest(scratch, found, k)
    above = 0
    for c in range(found):
        above += values[c] > bound
    ties = k - above if found > k else found
    kept = 0
    for c in range(found):
        if values[c] > bound or (values[c] == bound and ties > 0):
            ties -= values[c] == bound
            codes.feature[t, kept], codes.value[t, kept] = spots[c], values[c]
            kept += 1
    codes.active[t] = kept
    codes.feature[t, kept:] = 0
    codes.value[t, kept:] = 0


@njit(nogil=True, cache=True)
def keep_above(codes: SparseCodes, bound: float, ties: int) -> None:
    """Drop, in place, every code below ``bound``; of those equal to it keep the first ``ties``."""
    for t in range(codes.active.size):
        kept = 0
        for j in range(codes.active[t]):
            i, v = codes.feature[t, j], codes.value[t, j]
            if v > bound or (v == bound and ties > 0):
                ties -= v == bound
                codes.feature[t, kept], codes.value[t, kept] = i, v
                kept += 1
        codes.feature[t, kept:] = 0
        codes.value[t, kept:] = 0
        codes.active[t] = kept


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def reconstruct(codes: SparseCodes, widths: Array, decoder: F32, target: F32, error: F32) -> None:
    """Errors of every nested prefix of the dictionary, touching ``active[t]`` rows of the decoder a token.

    Shapes: widths [m] ascending, the last one F (plain dictionaries have m = 1); decoder [F, d]; target
    [n, d] with what is written without codes (bias, skip) already taken off; error [m, n, d] out.

    error[g, t] becomes the sum over prefixes i >= g of (codes below widths[i]) @ decoder - target, which
    is what a feature of group g is answerable for; error[m - 1] is the plain error of the whole.
    """
    d, m = target.shape[1], widths.size
    for t in range(codes.active.size):
        done = 0
        for g in range(m):
            acc = error[g, t]
            if g == 0:
                for i in range(d):
                    acc[i] = -target[t, i]
            else:
                acc[:] = error[g - 1, t]
            end = _end_of_group(codes, t, done, widths[g])
            _add_rows(codes.feature[t, done:end], codes.value[t, done:end], decoder, acc)
            done = end
        for g in range(m - 2, -1, -1):
            acc, later = error[g, t], error[g + 1, t]
            for i in range(d):
                acc[i] += later[i]


@njit(nogil=True, cache=True)
def _end_of_group(codes: SparseCodes, t: int, start: int, width: int) -> int:
    end = start
    while end < codes.active[t] and codes.feature[t, end] < width:
        end += 1
    return end


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _add_rows(feature: I32, value: F32, table: F32, acc: F32) -> None:
    """acc += sum of value * table[feature], four rows at a time."""
    n, d, j = feature.size, acc.size, 0
    while j + 4 <= n:
        a, b, c, e = table[feature[j]], table[feature[j + 1]], table[feature[j + 2]], table[feature[j + 3]]
        p, q, r, s = value[j], value[j + 1], value[j + 2], value[j + 3]
        for i in range(d):
            acc[i] += p * a[i] + q * b[i] + r * c[i] + s * e[i]
        j += 4
    while j < n:
        a, p = table[feature[j]], value[j]
        for i in range(d):
            acc[i] += p * a[i]
        j += 1


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def slopes(codes: SparseCodes, widths: Array, decoder: F32, error: F32, slope: F32) -> None:
    """slope[t, j] = error[group of the feature, t] . decoder[feature[t, j]]; shapes as in ``reconstruct``."""
    for t in range(codes.active.size):
        done = 0
        for g in range(widths.size):
            end = _end_of_group(codes, t, done, widths[g])
            _dot_rows(codes.feature[t, done:end], decoder, error[g, t], slope[t, done:end])
            done = end


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def _dot_rows(feature: I32, table: F32, e: F32, out: F32) -> None:
    """out = table[feature] . e, four rows at a time."""
    n, d, j = feature.size, e.size, 0
    while j + 4 <= n:
        a, b, c, g = table[feature[j]], table[feature[j + 1]], table[feature[j + 2]], table[feature[j + 3]]
        p, q, r, s = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        for i in range(d):
            p += e[i] * a[i]
            q += e[i] * b[i]
            r += e[i] * c[i]
            s += e[i] * g[i]
        out[j], out[j + 1], out[j + 2], out[j + 3] = p, q, r, s
        j += 4
    while j < n:
        a, p = table[feature[j]], np.float32(0)
        for i in range(d):
            p += e[i] * a[i]
        out[j] = p
        j += 1


@njit(nogil=True, cache=True)
def sort_pairs(feature: I32, n_features: int) -> tuple[Array, Array]:
    """Counting sort: offsets [F + 1] and the order [p] in which pairs of one feature stand together, stably."""
    offsets = np.zeros(n_features + 1, np.int64)
    for f in feature:
        offsets[f + 1] += 1
    for f in range(n_features):
        offsets[f + 1] += offsets[f]
    place = offsets[:-1].copy()
    order = np.empty(feature.size, np.int64)
    for p in range(feature.size):
        f = feature[p]
        order[place[f]] = p
        place[f] += 1
    return offsets, order


@njit(nogil=True, cache=True)
def list_pairs(
    codes: SparseCodes, slope: F32, widths: Array, factor: np.float32, first_row: int, pairs: Pairs, at: int
) -> int:
    """Write every active code into ``pairs`` from place ``at`` on; returns the place after the last.

    Values and slopes are multiplied by ``factor``; the error row of token t in group g is first_row + g * n + t.
    """
    n = codes.active.size
    for t in range(n):
        g = 0
        for j in range(codes.active[t]):
            f = codes.feature[t, j]
            while f >= widths[g]:
                g += 1
            pairs.feature[at] = f
            pairs.value[at], pairs.slope[at] = factor * codes.value[t, j], factor * slope[t, j]
            pairs.error_row[at], pairs.x_row[at] = first_row + g * n + t, t
            at += 1
    return at


def empty_pairs(n: int) -> Pairs:
    """Room for n pairs."""
    i, f = np.int32, np.float32
    return Pairs(np.empty(n, i), np.empty(n, f), np.empty(n, f), np.empty(n, i), np.empty(n, i))


@njit(nogil=True, cache=True, fastmath=FAST, error_model="numpy")
def rescore(tile: SparseCodes, encoder: F32, bias: F32, x: F32, score: F32) -> None:
    """Exact pre-activations of proposed features, feature by feature, so that each encoder row is read once.

    Args:
        tile: proposals of n tokens, features counted within ``encoder`` [g, d]; ``bias`` [g].
        x: what the encoder reads [n, d].
        score: [n, k] out; -1 where nothing was proposed.
    """
    n, k = tile.feature.shape
    offsets, order = sort_pairs(tile.feature.ravel(), encoder.shape[0])
    tokens = np.empty(n, np.int32)
    dots = np.empty(n, np.float32)
    flat = score.ravel()
    flat[:] = -1
    for f in range(encoder.shape[0]):
        used = 0
        chosen = order[offsets[f] : offsets[f + 1]]
        for p in chosen:
            if p % k < tile.active[p // k]:
                tokens[used] = p // k
                used += 1
        _dot_rows(tokens[:used], x, encoder[f], dots[:used])
        used = 0
        for p in chosen:
            if p % k < tile.active[p // k]:
                flat[p] = dots[used] + bias[f]
                used += 1


@njit(nogil=True, cache=True)
def beside(tiles: F32, out: F32) -> None:
    """Lay scores [tiles, n, k] side by side: out [n, tiles * k]."""
    count, n, k = tiles.shape
    for t in range(n):
        for i in range(count):
            out[t, i * k : (i + 1) * k] = tiles[i, t]


@njit(nogil=True, cache=True)
def name_features(codes: SparseCodes, proposed: I32, size: int) -> None:
    """Turn places in ``out`` of ``beside`` into features, in place: proposed [tiles, n, k] within tiles of ``size``."""
    k = proposed.shape[2]
    for t in range(codes.active.size):
        for j in range(codes.active[t]):
            i = codes.feature[t, j] // k
            codes.feature[t, j] = i * size + proposed[i, t, codes.feature[t, j] % k]
