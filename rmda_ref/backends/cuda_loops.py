"""How a kernel is driven over arrays on a device: what one of many threads does, closed over the kernel.

The counterpart of `rmda_ref.backends.drivers`, whose points of a prox and ways to find a group it uses: here too a
kernel is the plain function of `rmda_ref.kernels`. Fused steps of groups are in `rmda_ref.backends.cuda_groups`.
`rmda_ref.backends.cuda` compiles these functions; numba's simulator runs them as they are.

Arrays come flat, in C order. The iterate, the anchor and the gradient may be stored in less precision than V; all
arithmetic is in the precision of V.

``status`` is 0, or the first step whose gradient was not finite: from then on no step is taken.
"""

import math

from numba import cuda, uintp

from rmda_ref.backends.drivers import at

THREADS = 256  # of a block


def summed(grad_sum, grad, decay, weighted_step, i):
    """V = decay V + s g at entry i, in the precision of V."""
    return decay * grad_sum[i] + weighted_step * grad_sum.dtype.type(grad[i])


def refuse(real_type):
    """Note in ``status`` that step ``t`` is refused, if an entry of its gradient is infinite or NaN."""

    def check(grad, t, status):
        i = uintp(cuda.grid(1))
        if i < uintp(grad.size) and status[0] == 0 and not math.isfinite(real_type(grad[i])):
            status[0] = t  # whichever thread writes it, writes the same

    return check


def step_entrywise(kernel, centre):
    """V <- decay V + s g;  y = prox(centre);  W <- (1 - c) W + c y, an entry a thread."""

    def step(
        iterate, anchor, grad_sum, grad, decay, weighted_step, scale, prox_step, keep, momentum, strengths, parameters,
        status
    ):  # fmt: skip
        real = grad_sum.dtype.type
        i = uintp(cuda.grid(1))
        if i < uintp(iterate.size) and status[0] == 0:
            v = summed(grad_sum, grad, decay, weighted_step, i)
            x = real(centre(iterate, anchor, v, scale, i))
            y = kernel(x, real(prox_step * at(strengths, i)), real(1), *parameters)
            w = keep * real(iterate[i]) + momentum * y
            grad_sum[i] = v  # all reads come before, as many at once as can be
            iterate[i] = w

    return step


def centre_pass(centre):
    """Where the prox needs more than a row: the centre, then the prox outside, then `settle_pass`.

    No prox is taken of a gradient that was refused: it might loop, or write anywhere, for a NaN. It gets zeros.
    """

    def centres(iterate, anchor, grad_sum, grad, decay, weighted_step, scale, status, out):
        real = grad_sum.dtype.type
        i = uintp(cuda.grid(1))
        if i < uintp(iterate.size):
            v = summed(grad_sum, grad, decay, weighted_step, i)
            out[i] = real(centre(iterate, anchor, v, scale, i)) if status[0] == 0 else real(0)

    return centres


def settle_pass():
    """V and W, with W~ = ``y``."""

    def settle(iterate, grad_sum, grad, decay, weighted_step, keep, momentum, y, status):
        real = grad_sum.dtype.type
        i = uintp(cuda.grid(1))
        if i < uintp(iterate.size) and status[0] == 0:
            grad_sum[i] = summed(grad_sum, grad, decay, weighted_step, i)
            iterate[i] = keep * real(iterate[i]) + momentum * y[i]

    return settle


def prox_rows(kernel):
    """The prox of a row kernel, a row a thread, in float64. ``rows``, ``metrics`` and ``scratch`` are of the thread."""

    def prox(
        x, prox_step, strengths, metric, starts, members, n_groups, strided, rows, metrics, scratch, parameters, out
    ):
        thread, threads = cuda.grid(1), cuda.gridsize(1)
        for a in range(thread, n_groups, threads):
            # Entry j lies at base + members[first + j]; an empty metric is that of ones.
            base, first = (starts[a], 0) if strided else (0, starts[a])
            length = len(members) if strided else starts[a + 1] - first
            row, row_metric = rows[thread, :length], metrics[thread, :length]
            for j in range(length):
                row[j] = x[base + members[first + j]]
                row_metric[j] = metric[base + members[first + j]] if len(metric) > 0 else 1.0
            kernel(row, prox_step * strengths[a % len(strengths)], row_metric, scratch[thread], *parameters)
            for j in range(length):
                out[base + members[first + j]] = row[j] + 0.0  # + 0: no negative zeros

    return prox
