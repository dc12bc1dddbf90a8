#!/usr/bin/env python3
"""TenSEAL's side of the comparison (run.py): the network and the parameters of its tutorial 4, "Encrypted Convolution
on MNIST".

    tenseal_peer.py tutorial-4

Convolution to 4 maps, 7 x 7, stride 3; square; dense 64; square; dense 10. Weights are random, as PyTorch would
initialize them: the time does not depend on them. The client arranges the image for the convolution (im2col); the
weights are encoded during the evaluation, as the library has no way to do it before.
"""

import sys

import numpy
import tenseal

import peer

KERNEL, STRIDE, MAPS, HIDDEN, CLASSES = 7, 3, 4, 64, 10
SIDE = (28 - KERNEL) // STRIDE + 1
LOG_N, SCALE_BITS = 13, 26
MODULUS_BITS = [31] + 6 * [SCALE_BITS] + [31]  # the last is the special prime


class Tutorial4:
    data = "mnist"
    description = {
        "network": "its tutorial 4 (convolution 4 maps 7 x 7 stride 3, square, dense 64, square, dense 10), random"
                   " weights",
        "log_n": LOG_N, "log_qp": sum(MODULUS_BITS), "ring": "complex slots", "secret": "uniform ternary",
    }

    def __init__(self):
        random = numpy.random.default_rng(73)

        def layer(outputs, inputs):
            bound = inputs**-0.5
            return random.uniform(-bound, bound, (outputs, inputs)), random.uniform(-bound, bound, outputs)

        self.convolution = layer(MAPS, KERNEL * KERNEL)
        self.dense = [layer(HIDDEN, MAPS * SIDE * SIDE), layer(CLASSES, HIDDEN)]
        self.context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 2**LOG_N, coeff_mod_bit_sizes=MODULUS_BITS,
                                       n_threads=1)
        self.context.global_scale = 2**SCALE_BITS
        self.context.generate_galois_keys()
        weights, biases = self.convolution
        self.kernels = list(zip(weights.reshape(MAPS, KERNEL, KERNEL).tolist(), biases.tolist()))
        self.matrices = [(weights.T.tolist(), biases.tolist()) for weights, biases in self.dense]

    def encrypt(self, image):
        return tenseal.im2col_encoding(self.context, (image[0] / 255).tolist(), KERNEL, KERNEL, STRIDE)[0]

    def evaluate(self, image):
        maps = [image.conv2d_im2col(kernel, SIDE * SIDE) + bias for kernel, bias in self.kernels]
        scores = tenseal.CKKSVector.pack_vectors(maps)
        for matrix, bias in self.matrices:
            scores.square_()
            scores = scores.mm(matrix) + bias
        return scores

    def decrypt(self, scores):
        return scores.decrypt()

    def clear(self, image):
        windows = numpy.lib.stride_tricks.sliding_window_view(image[0] / 255, (KERNEL, KERNEL))[::STRIDE, ::STRIDE]
        weights, biases = self.convolution
        values = (weights @ windows.reshape(SIDE * SIDE, -1).T + biases[:, None]).ravel()
        for weights, biases in self.dense:
            values = weights @ values**2 + biases
        return values


def make(network):
    if network != "tutorial-4":
        raise NotImplementedError("convolutions only as the first layer, of one channel: none of its examples takes"
                                  " colour images")
    return Tutorial4()


if __name__ == "__main__":
    peer.serve(lambda: make(sys.argv[1]))
