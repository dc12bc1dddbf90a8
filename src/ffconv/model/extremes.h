// Images far from any data set: on them too a network's values must stay within its bounds.
#pragma once

#include "ffconv/model/dataset.h"

namespace ffconv::model {

// Plain black and white and every other corner of the colours of up to 3 channels, checkerboards
// and stripes of several widths with their negatives, and 100 images of noise, grey levels or black
// and white, in blocks of 1, 2 and 4 pixels. `shape` is {C, H, W}, or {F} for features that count
// as channels of one pixel. The same images on every call; their labels say nothing.
Dataset extreme_images(const Shape& shape);

}  // namespace ffconv::model
