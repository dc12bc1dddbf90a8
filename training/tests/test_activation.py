import pytest
import torch

from ffconv_training import activation, kernels
from ffconv_training.activation import QuadraticActivation, plain_quadratic

BOUND, WEIGHT = 1.5, 0.1


def results(function, u, coefficients, dy):
    """Outputs and gradients of the sum of y * dy and 1.7 times the penalty."""
    u = u.clone().requires_grad_()
    coefficients = [c.clone().requires_grad_() for c in coefficients]
    y, penalty, statistics = function(u, *coefficients)
    ((y * dy).sum() + 1.7 * penalty).backward()
    return [y.detach(), penalty.detach(), statistics, u.grad, *(c.grad for c in coefficients)]


def fused(u, c1, c2):
    return activation._FusedQuadratic.apply(u, c1, c2, BOUND, WEIGHT)


def plain(u, c1, c2):
    return plain_quadratic(u, c1, c2, BOUND, WEIGHT)


# Channel counts around the vector width; more rows than one block of the loops.
@pytest.mark.parametrize("shape", [(3, 1, 2, 2), (10, 7, 5, 5), (4, 16, 9, 9), (5, 33, 6, 7), (50, 19)])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.bfloat16, 0.01)])
def test_the_fused_loops_agree_with_plain_pytorch(shape, dtype, tolerance):
    generator = torch.Generator().manual_seed(1)
    u = (torch.randn(shape, generator=generator) * 3 + 1).to(dtype)
    if not kernels.available(u):
        pytest.skip("no C compiler")
    dy = torch.randn(shape, generator=generator).to(dtype)
    coefficients = [torch.randn(shape[1], generator=generator) for _ in range(2)]
    for expected, got in zip(results(plain, u, coefficients, dy), results(fused, u, coefficients, dy)):
        assert got.dtype == expected.dtype and got.shape == expected.shape
        assert (got - expected).abs().max() <= tolerance * expected.abs().max()


def test_coefficients_start_as_the_expansion_of_relu():
    z = torch.randn(200_000, 1, generator=torch.Generator().manual_seed(2))
    y, _ = QuadraticActivation(1)(z, 100.0, 0.0)
    # E relu(z) (z, (z^2 - 1) / sqrt 2); the spread's epsilon lowers the last by 1 - sqrt(2 / 2.1).
    relu = torch.relu(z)
    assert abs(y.mean()) < 1e-4
    assert abs((y * z).mean() - (relu * z).mean()) < 0.005
    square = (z * z - 1) / 2 ** 0.5
    assert abs((y * square).mean() - (relu * square).mean() * (2 / 2.1) ** 0.5) < 0.01


def test_moments_are_exact_far_from_zero_and_channels_without_variation_stay_finite():
    u = torch.randn(500, 3, generator=torch.Generator().manual_seed(4)) + torch.tensor([0.0, 5000.0, -300.0])
    u = torch.cat([u, torch.full((500, 1), 7.0)], 1).requires_grad_()
    module = QuadraticActivation(4, momentum=1.0)
    y, _ = module(u, 4.0, 0.1)
    y.square().sum().backward()
    fourth = module.statistics[2, :3]
    expected = (u - u.mean(0))[:, :3].double().pow(4).mean(0) / u[:, :3].double().var(0, unbiased=False) ** 2
    assert torch.allclose(fourth.double(), expected, rtol=0.01)
    module.project()
    assert all(torch.isfinite(t).all() for t in (y, u.grad, module.c2, *module.folded()))


def test_with_the_batchs_own_statistics_evaluation_gives_what_training_gave():
    module = QuadraticActivation(6, momentum=1.0)
    u = torch.randn(8, 6, 5, 5, generator=torch.Generator().manual_seed(3)) * 2 - 1
    y, _ = module(u, 100.0, 0.0)
    evaluated, z = module.evaluate(u)
    assert torch.allclose(y, evaluated, atol=1e-5)
    assert abs(z.mean()) < 1e-5 and abs(z.square().mean() - 1) < 1e-4


def test_a_batch_that_is_not_finite_leaves_the_statistics_alone():
    module = QuadraticActivation(2)
    before = module.statistics.clone()
    module(torch.tensor([[1.0, float("nan")], [2.0, 3.0]]), 4.0, 0.0)
    assert torch.equal(module.statistics, before)


def test_guards_are_clamped_and_pulled_back_wherever_they_are():
    module = QuadraticActivation(1)
    u = torch.tensor([[0.5], [12.0], [1e6], [-1e6]], requires_grad=True)
    y, excess = module.guarded(u, 10.0)
    largest = module.evaluate(torch.tensor([[activation.CLIP]]))[0].item()
    assert y.abs().max() <= largest * (1 + 1e-5)
    excess.sum().backward()
    slopes = u.grad.flatten().tolist()
    assert slopes[0] == 0 and slopes[1] > 0 and slopes[2] > slopes[1] and slopes[3] < -slopes[1]
    assert slopes[2] == pytest.approx(2 * (activation.CLIP - 10), rel=1e-4)


def test_projection_bounds_the_shift_of_the_completed_square():
    module = QuadraticActivation(4)
    with torch.no_grad():
        module.c1.copy_(torch.tensor([0.5, -3.0, 0.0, 2.0]))
        module.c2.copy_(torch.tensor([0.28, 0.01, -1.0, 5.0]))
    module.project()
    _, _, a, b, _ = module.folded()
    assert (a > 0).all() and (b / (2 * a)).abs().max() <= activation.MAX_SHIFT * (1 + 1e-5)
    assert module.c2[0] == 0.28 and module.c2[3] == 5.0  # large enough ones stay
