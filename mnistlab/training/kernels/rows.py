"""Sums of scaled rows of numbers: the arithmetic of a gradient that is 0 nearly everywhere.

Written in the language of LLVM, so that a row stays in registers: numba's own loops load and store
it for each factor, and take five times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import config, njit, types
from numba.extending import intrinsic

from mnistlab.training.kernels.vectors import FLOATS, OPTIONS, WIDTH, fused_product, spread_to

# A patch of 3 x 3 pixels with 32 channels takes 18 registers of AVX-512. AVX2 has 16, half as wide:
# there a row is taken in pieces of six vectors.
# NUMBA_CPU_FEATURES may say what a CPU has: only then does numba not ask the CPU itself.
_features = config.CPU_FEATURES or ("" if config.CPU_NAME else get_host_cpu_features().flatten())
HAS_MANY_REGISTERS = "+avx512f" in _features.split(",")
INDEX = ir.IntType(64)


def _vectors(builder: Any, base: Any, start: Any, stride: Any, shape: tuple[int, int]) -> list[Any]:
    """Pointers to the vectors of a row: shape[0] pieces, `stride` apart, of shape[1] vectors."""
    first = builder.gep(base, [start])
    pieces = [builder.gep(first, [builder.mul(stride, INDEX(i))]) for i in range(shape[0])]
    numbers = [builder.gep(piece, [INDEX(i * WIDTH)]) for piece in pieces for i in range(shape[1])]
    return [builder.bitcast(number, FLOATS.as_pointer()) for number in numbers]


def _load(builder: Any, pointers: list[Any]) -> list[Any]:
    return [builder.load(pointer, align=4) for pointer in pointers]


def _store(builder: Any, vectors: list[Any], pointers: list[Any]) -> None:
    for vector, pointer in zip(vectors, pointers, strict=True):
        builder.store(vector, pointer, align=4)


def _over_rows(gathers: bool, shape: tuple[int, int]) -> Callable[..., Any]:
    """The code of `_gather` or of `_scatter`, for rows of that shape: see _vectors."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def data_of(i: int) -> Any:
            return context.make_array(signature.args[i])(context, builder, arguments[i]).data

        _, start, stride, _, table_start, table_stride, _, _, count = arguments[:9]
        row, table, starts, factors = data_of(0), data_of(3), data_of(6), data_of(7)
        fixed = _vectors(builder, row, start, stride, shape)
        before = _load(builder, fixed)
        entry, loop = builder.block, builder.append_basic_block("rows")
        done = builder.append_basic_block("done")
        builder.cbranch(builder.icmp_signed(">", count, INDEX(0)), loop, done)

        builder.position_at_end(loop)
        t = builder.phi(INDEX)
        sums = [builder.phi(FLOATS) for _ in fixed if gathers]
        factor = spread_to(builder, builder.load(builder.gep(factors, [t])))
        begin = builder.sext(builder.load(builder.gep(starts, [t])), INDEX)
        place = builder.add(begin, table_start)
        rows = _vectors(builder, table, place, table_stride, shape)
        pairs = zip(_load(builder, rows), sums if gathers else before, strict=True)
        if gathers:
            after = [fused_product(builder, factor, of_row, total) for of_row, total in pairs]
        else:
            after = [fused_product(builder, factor, added, of_row) for of_row, added in pairs]
            _store(builder, after, rows)
        following = builder.add(t, INDEX(1))
        builder.cbranch(builder.icmp_signed("<", following, count), loop, done)

        builder.position_at_end(done)
        results = [builder.phi(FLOATS) for _ in sums]
        joins = [(t, INDEX(0), following)]
        for phis in (sums, results):
            joins += zip(phis, before, after, strict=False)
        for phi, first, later in joins:
            phi.add_incoming(first, entry)
            phi.add_incoming(later, loop)
        _store(builder, results, fixed if gathers else [])
        return context.get_dummy_value()

    return emit


def _typed(gathers: bool, given: tuple[Any, ...]) -> Any:
    row, _, _, table, _, _, starts, factors, _, n_pieces, n_vectors = given
    index = types.int64
    kinds = (row, index, index, table, index, index, starts, factors, index, n_pieces, n_vectors)
    shape = (n_pieces.literal_value, n_vectors.literal_value)
    return types.void(*kinds), _over_rows(gathers, shape)


@intrinsic(prefer_literal=True)
def _gather(
    typing_context: Any,
    row: Any,
    start: Any,
    stride: Any,
    table: Any,
    table_start: Any,
    table_stride: Any,
    starts: Any,
    factors: Any,
    count: Any,
    n_pieces: Any,
    n_vectors: Any,
) -> Any:
    given = (row, start, stride, table, table_start, table_stride, starts, factors, count)
    return _typed(True, (*given, n_pieces, n_vectors))


@intrinsic(prefer_literal=True)
def _scatter(
    typing_context: Any,
    row: Any,
    start: Any,
    stride: Any,
    table: Any,
    table_start: Any,
    table_stride: Any,
    starts: Any,
    factors: Any,
    count: Any,
    n_pieces: Any,
    n_vectors: Any,
) -> Any:
    given = (row, start, stride, table, table_start, table_stride, starts, factors, count)
    return _typed(False, (*given, n_pieces, n_vectors))


@njit(**OPTIONS)
def gather(
    row: Any,
    start: int,
    stride: int,
    table: Any,
    table_stride: int,
    starts: Any,
    factors: Any,
    count: int,
    n_pieces: int,
    n: int,
) -> None:
    """row += the sum over t < count of factors[t] times the row of the table at starts[t].

    A row has n_pieces pieces of n float32 numbers, n a multiple of WIDTH. They lie `stride` apart
    from row[start] on, and table_stride apart in the table. starts, factors: int32, float32.
    """
    if HAS_MANY_REGISTERS and n_pieces == 3 and n == 6 * WIDTH:
        _gather(row, start, stride, table, 0, table_stride, starts, factors, count, 3, 6)
        return
    for piece in range(n_pieces):
        to, of, end = start + piece * stride, piece * table_stride, piece * table_stride + n
        while end - of >= 6 * WIDTH:
            _gather(row, to, 0, table, of, 0, starts, factors, count, 1, 6)
            to, of = to + 6 * WIDTH, of + 6 * WIDTH
        while end - of >= 3 * WIDTH:
            _gather(row, to, 0, table, of, 0, starts, factors, count, 1, 3)
            to, of = to + 3 * WIDTH, of + 3 * WIDTH
        while end - of > 0:
            _gather(row, to, 0, table, of, 0, starts, factors, count, 1, 1)
            to, of = to + WIDTH, of + WIDTH


@njit(**OPTIONS)
def scatter(
    row: Any,
    start: int,
    stride: int,
    table: Any,
    table_stride: int,
    starts: Any,
    factors: Any,
    count: int,
    n_pieces: int,
    n: int,
) -> None:
    """For each t < count: the row of the table at starts[t] += factors[t] * row; see `gather`."""
    if HAS_MANY_REGISTERS and n_pieces == 3 and n == 6 * WIDTH:
        _scatter(row, start, stride, table, 0, table_stride, starts, factors, count, 3, 6)
        return
    for piece in range(n_pieces):
        of, to, end = start + piece * stride, piece * table_stride, piece * table_stride + n
        while end - to >= 6 * WIDTH:
            _scatter(row, of, 0, table, to, 0, starts, factors, count, 1, 6)
            to, of = to + 6 * WIDTH, of + 6 * WIDTH
        while end - to >= 3 * WIDTH:
            _scatter(row, of, 0, table, to, 0, starts, factors, count, 1, 3)
            to, of = to + 3 * WIDTH, of + 3 * WIDTH
        while end - to > 0:
            _scatter(row, of, 0, table, to, 0, starts, factors, count, 1, 1)
            to, of = to + WIDTH, of + WIDTH
