package main

import (
	"fmt"
	"math"
	"math/rand"
	"time"

	"github.com/tuneinsight/lattigo/v6/circuits/ckks/lintrans"
	"github.com/tuneinsight/lattigo/v6/core/rlwe"
	"github.com/tuneinsight/lattigo/v6/ring"
	"github.com/tuneinsight/lattigo/v6/schemes/ckks"
)

const (
	hoisted         = 8
	diagonals       = 128
	products        = 8 // plaintext products in one sum
	productOperands = 4
)

// chains: one prime a level, with as many special primes as their security limits allow to pay.
var chains = map[int]ckks.ParametersLiteral{
	13: {LogQ: []int{29, 26, 26, 26, 26, 26}, LogP: []int{54}, LogDefaultScale: 26},
	14: {LogQ: []int{31, 40, 40, 40, 40, 40, 40}, LogP: []int{46, 46, 46}, LogDefaultScale: 40},
	15: {
		LogQ: []int{32, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40},
		LogP: []int{46, 46, 46, 46}, LogDefaultScale: 40,
	},
}

// maxLogQP: Bossuat et al., ePrint 2024/463, 128 bits classical, uniform ternary secret.
var maxLogQP = map[int]float64{13: 214, 14: 430, 15: 868}

type operation struct {
	run   func() error
	parts float64 // a repetition is so many of what is reported
}

type fixture struct {
	params     ckks.Parameters
	sk         *rlwe.SecretKey
	kgen       *rlwe.KeyGenerator
	encoder    *ckks.Encoder
	slots      []float64
	pt         *rlwe.Plaintext
	ct, out    *rlwe.Ciphertext
	ratio      int // of linear_transform_128
	operations map[string]operation
}

func newFixture(logN int) (f *fixture, err error) {
	literal, found := chains[logN]
	if !found {
		return nil, fmt.Errorf("log_n: expected 13, 14 or 15, got %d", logN)
	}
	literal.LogN, literal.RingType = logN, ring.ConjugateInvariant
	f = &fixture{operations: map[string]operation{}}
	if f.params, err = ckks.NewParametersFromLiteral(literal); err != nil {
		return nil, err
	}
	if logQP := f.params.LogQ() + f.params.LogP(); logQP > maxLogQP[logN] {
		return nil, fmt.Errorf("log2 QP: expected at most %g, got %g", maxLogQP[logN], logQP)
	}
	f.kgen = rlwe.NewKeyGenerator(f.params)
	f.sk = f.kgen.GenSecretKeyNew()
	f.encoder = ckks.NewEncoder(f.params)
	random := rand.New(rand.NewSource(1))
	f.slots = make([]float64, f.params.MaxSlots())
	for j := range f.slots {
		f.slots[j] = 2*random.Float64() - 1
	}
	f.pt = ckks.NewPlaintext(f.params, f.params.MaxLevel())
	if err = f.encoder.Encode(f.slots, f.pt); err != nil {
		return nil, err
	}
	if f.ct, err = rlwe.NewEncryptor(f.params, f.sk).EncryptNew(f.pt); err != nil {
		return nil, err
	}
	f.out = ckks.NewCiphertext(f.params, 1, f.params.MaxLevel())
	f.addTransforms()
	if err = f.addClientOperations(); err != nil {
		return nil, err
	}
	return f, f.addEvaluation()
}

// evaluator with keys for these rotations and for relinearization.
func (f *fixture) evaluator(galoisElements []uint64) *ckks.Evaluator {
	return ckks.NewEvaluator(f.params, rlwe.NewMemEvaluationKeySet(
		f.kgen.GenRelinearizationKeyNew(f.sk), f.kgen.GenGaloisKeysNew(galoisElements, f.sk)...))
}

func (f *fixture) addTransforms() {
	prime := f.params.RingQ().SubRings[1]
	limb := append([]uint64{}, f.ct.Value[0].Coeffs[1]...)
	f.operations["ntt_forward"] = operation{func() error { prime.NTT(limb, limb); return nil }, 1}
	f.operations["ntt_inverse"] = operation{func() error { prime.INTT(limb, limb); return nil }, 1}
}

func (f *fixture) addClientOperations() error {
	encoded := ckks.NewPlaintext(f.params, f.params.MaxLevel())
	f.operations["encode"] = operation{func() error { return f.encoder.Encode(f.slots, encoded) }, 1}
	encryptor := rlwe.NewEncryptor(f.params, f.kgen.GenPublicKeyNew(f.sk))
	fresh := ckks.NewCiphertext(f.params, 1, f.params.MaxLevel())
	f.operations["encrypt_public"] = operation{func() error { return encryptor.Encrypt(f.pt, fresh) }, 1}
	decryptor := rlwe.NewDecryptor(f.params, f.sk)
	decrypted := ckks.NewPlaintext(f.params, f.params.MaxLevel())
	slots := make([]float64, f.params.MaxSlots())
	f.operations["decrypt_decode"] = operation{func() error {
		decryptor.Decrypt(f.ct, decrypted)
		return f.encoder.Decode(decrypted, slots)
	}, 1}
	element := f.params.GaloisElement(1)
	key := rlwe.NewGaloisKey(f.params)
	f.operations["keygen_rotation"] = operation{func() error { f.kgen.GenGaloisKey(element, f.sk, key); return nil }, 1}
	return f.checkDecryption(f.operations["decrypt_decode"], slots)
}

// checkDecryption: what is timed also works.
func (f *fixture) checkDecryption(decrypt operation, slots []float64) error {
	if err := decrypt.run(); err != nil {
		return err
	}
	for j := range slots {
		if math.Abs(slots[j]-f.slots[j]) > 1.0/256 {
			return fmt.Errorf("slot %d: expected %g, got %g", j, f.slots[j], slots[j])
		}
	}
	return nil
}

func (f *fixture) addEvaluation() error {
	steps := make([]int, hoisted)
	outputs := map[int]*rlwe.Ciphertext{}
	for k := range steps {
		steps[k] = k + 1
		outputs[k+1] = ckks.NewCiphertext(f.params, 1, f.params.MaxLevel())
	}
	eval := f.evaluator(f.params.GaloisElements(steps))
	f.operations["rotate"] = operation{func() error { return eval.Rotate(f.ct, 1, f.out) }, 1}
	f.operations["rotate_hoisted"] = operation{func() error { return eval.RotateHoisted(f.ct, steps, outputs) }, hoisted}
	f.operations["multiply_relinearize"] = operation{func() error { return eval.MulRelin(f.ct, f.ct, f.out) }, 1}
	lower := ckks.NewCiphertext(f.params, 1, f.params.MaxLevel()-1)
	f.operations["rescale"] = operation{func() error { return eval.Rescale(f.ct, lower) }, 1}
	return f.addPlainProducts(eval)
}

func (f *fixture) addPlainProducts(eval *ckks.Evaluator) error {
	sum, err := eval.MulNew(f.ct, f.pt)
	if err != nil {
		return err
	}
	plaintexts := make([]*rlwe.Plaintext, productOperands)
	for k := range plaintexts {
		plaintexts[k] = f.pt.CopyNew()
	}
	f.operations["multiply_plain_add"] = operation{func() error {
		for k := range products {
			if err := eval.MulThenAdd(f.ct, plaintexts[k%productOperands], sum); err != nil {
				return err
			}
		}
		return nil
	}, products}
	return nil
}

// linearTransform: the transform by the matrix of 128 diagonals with this ratio of steps.
func (f *fixture) linearTransform(ratio int) (func() error, error) {
	matrix := lintrans.Diagonals[float64]{}
	for k := range diagonals {
		matrix[k] = f.slots
	}
	transform := lintrans.NewTransformation(f.params, lintrans.Parameters{
		DiagonalsIndexList:        matrix.DiagonalsIndexList(),
		LevelQ:                    f.params.MaxLevel(),
		LevelP:                    f.params.MaxLevelP(),
		Scale:                     f.params.DefaultScale(),
		LogDimensions:             f.params.LogMaxDimensions(),
		LogBabyStepGiantStepRatio: ratio,
	})
	if err := lintrans.Encode(f.encoder, matrix, transform); err != nil {
		return nil, err
	}
	eval := lintrans.NewEvaluator(f.evaluator(transform.GaloisElements(f.params)))
	out := ckks.NewCiphertext(f.params, 1, f.params.MaxLevel())
	return func() error { return eval.Evaluate(f.ct, transform, out) }, nil
}

// addLinearTransform takes the ratio of steps that is fastest.
func (f *fixture) addLinearTransform() error {
	best := math.Inf(1)
	for _, ratio := range []int{0, 1, 2, 3} {
		run, err := f.linearTransform(ratio)
		if err != nil {
			return err
		}
		for range 3 {
			start := time.Now()
			if err = run(); err != nil {
				return err
			}
			if us := microseconds(start); us < best {
				best = us
				f.ratio = ratio
				f.operations["linear_transform_128"] = operation{run, 1}
			}
		}
	}
	return nil
}
