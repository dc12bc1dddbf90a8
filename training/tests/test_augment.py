import torch

from ffconv_training import augment
from ffconv_training.extremes import named_extremes, random_extremes


def pixels(shape=(6, 2, 8, 9)):
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def test_a_view_is_the_shifted_image_with_its_border_reflected():
    images = pixels()
    crop = augment.CropFlip(images, pad=2)
    index = torch.tensor([4, 1, 3])
    views = torch.tensor([[2, 2, 0], [2, 2, 1], [3, 0, 0]])
    got = crop.apply(index, views)
    assert torch.equal(got[0], images[4].float())
    assert torch.equal(got[1], images[1].float().flip(2))
    down_left = got[2]  # rows from 1 on, columns from -2 on
    assert torch.equal(down_left[:, :7, 2:], images[3, :, 1:, :7].float())
    assert torch.equal(down_left[:, :7, 0], images[3, :, 1:, 2].float())


def test_draws_cover_all_shifts_and_both_flips():
    views = augment.CropFlip(pixels(), pad=1).draw(500, torch.Generator().manual_seed(2))
    assert len({tuple(view) for view in views.tolist()}) == 18


def test_affine_views_stay_near_the_image():
    images = torch.zeros(5, 1, 21, 21, dtype=torch.uint8)
    images[:, :, 8:13, 8:13] = 200
    affine = augment.Affine(images)
    identity = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).expand(5, 2, 3)
    assert torch.allclose(affine.apply(torch.arange(5), identity), images.float(), atol=1e-2)
    moved = affine.apply(torch.arange(5), affine.draw(5, torch.Generator().manual_seed(3)))
    assert not torch.allclose(moved, images.float())
    inside = moved[:, :, 4:17, 4:17].sum() / moved.sum()
    assert inside > 0.99


def test_a_square_is_cut_out_of_every_image():
    x = torch.ones(200, 2, 16, 16)
    augment.cut_out(x, 6, torch.tensor([5.0, 7.0]), torch.Generator().manual_seed(4))
    areas = (x[:, 0] == 5).flatten(1).sum(1)
    assert torch.equal(x[:, 0] == 5, x[:, 1] == 7)
    assert areas.max() == 36 and areas.min() >= 9  # squares hang over the border


def test_extremes_use_the_whole_range_and_repeat():
    for shape in ((1, 28, 28), (3, 32, 32)):
        named = named_extremes(shape, noise_images=8)
        for name, images in named.items():
            assert images.shape[1:] == shape and images.min() >= 0 and images.max() <= 255
            assert torch.equal(images, named_extremes(shape, noise_images=8)[name])
        board = named["checkerboards and stripes"][0, 0]
        assert board[0, 0] != board[0, 1] and board[0, 0] == board[1, 1]
        drawn = random_extremes(50, shape, torch.Generator().manual_seed(5))
        assert drawn.shape == (50, *shape) and drawn.min() == 0 and drawn.max() == 255
