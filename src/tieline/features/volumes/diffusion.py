"""The discrete diffusion problem in the pores of a volume, and the passes over it that a solver makes.

Concentration is unknown in the centre of every pore voxel, and the flux between neighbours is their
difference. The first and the last plane along the first axis lie half a voxel from walls that are kept at 1
and 0; all other walls, and all solid, let nothing through. Arrays have a rim of zeros, one voxel wide, and
zeros in solid: so a sum over six neighbours distinguishes no cases, and compiles to vector instructions.
"""

import numpy as np
from numba import njit

WALL = 2  # conductance from a voxel's centre to a wall: half the distance between centres


@njit(cache=True)
def conductances(pore: np.ndarray) -> np.ndarray:
    """Sum the conductances of each pore voxel to its neighbours and to the two walls.

    Args:
        pore (x, y, z): with a rim of zeros; 1 for pore.

    Returns:
        The same shape, uint8: the diagonal of the problem's matrix; 0 in solid.
    """
    nx, ny, nz = pore.shape
    diagonal = np.zeros_like(pore)
    for i in range(1, nx - 1):
        at_walls = WALL * (int(i == 1) + int(i == nx - 2))
        for j in range(1, ny - 1):
            here, out = pore[i, j, 1:-1], diagonal[i, j, 1:-1]
            left, right = pore[i, j, :-2], pore[i, j, 2:]
            below, above = pore[i, j - 1, 1:-1], pore[i, j + 1, 1:-1]
            before, behind = pore[i - 1, j, 1:-1], pore[i + 1, j, 1:-1]
            for k in range(nz - 2):
                n = left[k] + right[k] + below[k] + above[k] + before[k] + behind[k]
                out[k] = here[k] * (n + at_walls)
    return diagonal


@njit(cache=True)
def start_straight(pore: np.ndarray, residual: np.ndarray) -> float:
    """Write what the concentration of open space, a straight line from 1 to 0, leaves over in the pores.

    What flows into a voxel from one side and not out of it on the other is left over, so this is exact.

    Returns:
        The dissipation of that concentration.
    """
    nx, ny, nz = pore.shape
    slope = np.float32(1 / (nx - 2))
    n_faces = 0.0
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            here, to = pore[i, j], residual[i, j]
            before = pore[i - 1, j] if i > 1 else here  # a wall passes on what a pore would
            behind = pore[i + 1, j] if i < nx - 2 else here
            n = 0
            for k in range(nz):
                to[k] = slope * (np.float32(before[k]) - np.float32(behind[k])) * here[k]
                n += here[k] * before[k]
            # The two walls are half a face each.
            n_faces += n / 2 if i == 1 else n
            if i == nx - 2:
                n_faces += here.sum() / 2
    return n_faces / (nx - 2) ** 2


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def multiply(diagonal: np.ndarray, x: np.ndarray, out: np.ndarray) -> float:
    """Write the matrix times x into out, and return x times that."""
    nx, ny, nz = x.shape
    total = 0.0
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            d, here, to = diagonal[i, j, 1:-1], x[i, j, 1:-1], out[i, j, 1:-1]
            left, right = x[i, j, :-2], x[i, j, 2:]
            below, above = x[i, j - 1, 1:-1], x[i, j + 1, 1:-1]
            before, behind = x[i - 1, j, 1:-1], x[i + 1, j, 1:-1]
            part = np.float32(0)
            for k in range(nz - 2):
                around = (left[k] + right[k]) + (below[k] + above[k]) + (before[k] + behind[k])
                value = np.float32(d[k]) * here[k] - around
                value = value if d[k] > 0 else np.float32(0)
                to[k] = value
                part += value * here[k]
            total += float(part)
    return total


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def relax(diagonal: np.ndarray, b: np.ndarray, x: np.ndarray, weight: float, out: np.ndarray) -> None:
    """Write one weighted Jacobi step from x into out."""
    nx, ny, nz = x.shape
    w = np.float32(weight)
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            d, here, to, rhs = diagonal[i, j, 1:-1], x[i, j, 1:-1], out[i, j, 1:-1], b[i, j, 1:-1]
            left, right = x[i, j, :-2], x[i, j, 2:]
            below, above = x[i, j - 1, 1:-1], x[i, j + 1, 1:-1]
            before, behind = x[i - 1, j, 1:-1], x[i + 1, j, 1:-1]
            for k in range(nz - 2):
                around = (left[k] + right[k]) + (below[k] + above[k]) + (before[k] + behind[k])
                n = np.float32(d[k])
                step = (rhs[k] + around) / max(n, np.float32(1)) - here[k]
                to[k] = here[k] + w * step if d[k] > 0 else np.float32(0)


@njit(cache=True)
def relax_from_zero(diagonal: np.ndarray, b: np.ndarray, weight: float, out: np.ndarray) -> None:
    """Write one weighted Jacobi step from zero into out."""
    nx, ny, nz = b.shape
    w = np.float32(weight)
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            d, rhs, to = diagonal[i, j, 1:-1], b[i, j, 1:-1], out[i, j, 1:-1]
            for k in range(nz - 2):
                to[k] = w * rhs[k] / max(np.float32(d[k]), np.float32(1))


@njit(cache=True)
def restrict(diagonal: np.ndarray, b: np.ndarray, x: np.ndarray, coarse_b: np.ndarray) -> None:
    """Add up what x leaves of the right-hand side over blocks of 2 x 2 x 2 voxels."""
    nx, ny, nz = x.shape
    coarse_b[:] = 0
    left_over = np.empty(nz - 2 + nz % 2, np.float32)
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            d, here, rhs = diagonal[i, j, 1:-1], x[i, j, 1:-1], b[i, j, 1:-1]
            left, right = x[i, j, :-2], x[i, j, 2:]
            below, above = x[i, j - 1, 1:-1], x[i, j + 1, 1:-1]
            before, behind = x[i - 1, j, 1:-1], x[i + 1, j, 1:-1]
            for k in range(nz - 2):
                around = (left[k] + right[k]) + (below[k] + above[k]) + (before[k] + behind[k])
                rest = rhs[k] + around - np.float32(d[k]) * here[k]
                left_over[k] = rest if d[k] > 0 else np.float32(0)
            if nz % 2 == 1:
                left_over[nz - 2] = 0
            to = coarse_b[(i + 1) // 2, (j + 1) // 2, 1:-1]
            for k in range(len(to)):
                to[k] += left_over[2 * k] + left_over[2 * k + 1]


@njit(cache=True)
def interpolate(diagonal: np.ndarray, coarse_x: np.ndarray, weight: float, x: np.ndarray) -> None:
    """Add a coarse solution to the pore voxels of each block."""
    nx, ny, nz = x.shape
    w = np.float32(weight)
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            d, to = diagonal[i, j, 1:-1], x[i, j, 1:-1]
            source = coarse_x[(i + 1) // 2, (j + 1) // 2, 1:-1]
            for k in range(nz - 2):
                to[k] += w * source[k // 2] if d[k] > 0 else np.float32(0)


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def dot(x: np.ndarray, y: np.ndarray) -> float:
    """Sum x times y, in double precision from row to row."""
    total = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            a, b = x[i, j], y[i, j]
            part = np.float32(0)
            for k in range(len(a)):
                part += a[k] * b[k]
            total += float(part)
    return total


@njit(cache=True)
def add(x: np.ndarray, weight: float, y: np.ndarray) -> None:
    """Add weight times y to x."""
    w, a, b = np.float32(weight), x.reshape(-1), y.reshape(-1)
    for k in range(len(a)):
        a[k] += w * b[k]


@njit(cache=True)
def scale_and_add(x: np.ndarray, weight: float, y: np.ndarray) -> None:
    """Replace x by weight times x, plus y."""
    w, a, b = np.float32(weight), x.reshape(-1), y.reshape(-1)
    for k in range(len(a)):
        a[k] = w * a[k] + b[k]
