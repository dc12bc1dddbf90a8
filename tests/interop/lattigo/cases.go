package main

import (
	"fmt"
	"math"

	"github.com/tuneinsight/lattigo/v6/core/rlwe"
	"github.com/tuneinsight/lattigo/v6/schemes/ckks"
)

// The list of tests/interop/cases.h, on its own: what both sides compute from x and y.

const chainStep = 5

// steps: the shortest rotation, one across the middle, and the shortest backwards.
func steps(n int) []int { return []int{1, n/2 + 3, n - 1} }

func rotated(x []float64, step int) []float64 {
	return append(append([]float64{}, x[step:]...), x[:step]...)
}

func combine(x, y []float64, f func(a, b float64) float64) []float64 {
	result := make([]float64, len(x))
	for j := range x {
		result[j] = f(x[j], y[j])
	}
	return result
}

func product(x, y []float64) []float64 {
	return combine(x, y, func(a, b float64) float64 { return a * b })
}

func sum(x, y []float64) []float64 {
	return combine(x, y, func(a, b float64) float64 { return a + b })
}

type expected struct {
	slots []float64
	level int
	scale float64
	// growthBits: by how many bits the error of an input may have grown.
	growthBits float64
}

func expectations(o offer) map[string]expected {
	top := len(o.Q) - 1
	scale := math.Exp2(float64(o.LogScale))
	productScale := scale * scale / float64(o.Q[top])
	xy := product(o.X, o.Y)
	turned := rotated(xy, chainStep)
	z := product(o.Y, sum(o.X, rotated(o.X, 1)))
	result := map[string]expected{
		"fresh_secret": {o.X, top, scale, 0},
		"fresh_public": {o.Y, top, scale, 0},
		"sum":          {sum(o.X, o.Y), top, scale, 0},
		"tensor":       {xy, top, scale * scale, 0},
		"product":      {xy, top - 1, productScale, 0},
		"weighted":     {xy, top - 1, scale, 0},
		"transformed":  {sum(z, rotated(z, len(z)-1)), top - 1, scale, 0},
		// (p + e)^2 = p^2 + 2 p e: one bit.
		"chain":   {sum(product(turned, turned), o.X), top - 2, productScale * productScale / float64(o.Q[top-1]), 1},
		"dropped": {o.X, 0, scale, 0},
	}
	for _, step := range steps(len(o.X)) {
		result[fmt.Sprintf("rotated_%d", step)] = expected{rotated(o.X, step), top, scale, 0}
	}
	return result
}

// peer is Lattigo with one parameter set and one secret.
type peer struct {
	params  ckks.Parameters
	sk      *rlwe.SecretKey
	encoder *ckks.Encoder
	eval    *ckks.Evaluator
}

func newPeer(params ckks.Parameters, sk *rlwe.SecretKey) peer {
	kgen := rlwe.NewKeyGenerator(params)
	galoisElements := params.GaloisElements(append(steps(params.N()), chainStep))
	keys := rlwe.NewMemEvaluationKeySet(kgen.GenRelinearizationKeyNew(sk), kgen.GenGaloisKeysNew(galoisElements, sk)...)
	return peer{params, sk, ckks.NewEncoder(params), ckks.NewEvaluator(params, keys)}
}

func (p peer) encode(values []float64, level int, scale rlwe.Scale) (*rlwe.Plaintext, error) {
	pt := ckks.NewPlaintext(p.params, level)
	pt.Scale = scale
	return pt, p.encoder.Encode(values, pt)
}

func (p peer) decrypt(ct *rlwe.Ciphertext) ([]float64, error) {
	slots := make([]float64, p.params.N())
	return slots, p.encoder.Decode(rlwe.NewDecryptor(p.params, p.sk).DecryptNew(ct), slots)
}

// encryptMessages: x under the secret key, y under a public key made of it.
func (p peer) encryptMessages(o offer) (map[string]*rlwe.Ciphertext, error) {
	result := map[string]*rlwe.Ciphertext{}
	for name, message := range map[string]struct {
		values []float64
		key    rlwe.EncryptionKey
	}{
		"fresh_secret": {o.X, p.sk},
		"fresh_public": {o.Y, rlwe.NewKeyGenerator(p.params).GenPublicKeyNew(p.sk)},
	} {
		pt, err := p.encode(message.values, p.params.MaxLevel(), p.params.DefaultScale())
		if err != nil {
			return nil, err
		}
		if result[name], err = rlwe.NewEncryptor(p.params, message.key).EncryptNew(pt); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// rescaled divides by the last prime, in place.
func (p peer) rescaled(ct *rlwe.Ciphertext, err error) (*rlwe.Ciphertext, error) {
	if err != nil {
		return nil, err
	}
	return ct, p.eval.Rescale(ct, ct)
}

// evaluate computes every case but the fresh ones from encryptions of x and y.
func (p peer) evaluate(o offer, x, y *rlwe.Ciphertext) (result map[string]*rlwe.Ciphertext, err error) {
	top := p.params.MaxLevel()
	result = map[string]*rlwe.Ciphertext{}
	if result["sum"], err = p.eval.AddNew(x, y); err != nil {
		return nil, err
	}
	if result["tensor"], err = p.eval.MulNew(x, y); err != nil {
		return nil, err
	}
	if result["product"], err = p.rescaled(p.eval.RelinearizeNew(result["tensor"])); err != nil {
		return nil, err
	}
	if err = p.linear(o, x, result); err != nil {
		return nil, err
	}
	if result["chain"], err = p.chain(o, result["product"]); err != nil {
		return nil, err
	}
	result["dropped"] = p.eval.DropLevelNew(x, top)
	for _, step := range steps(p.params.N()) {
		if result[fmt.Sprintf("rotated_%d", step)], err = p.eval.RotateNew(x, step); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// linear adds the cases weighted = y x and transformed = z + rotate(z, -1), z = y x + y rotate(x, 1).
func (p peer) linear(o offer, x *rlwe.Ciphertext, result map[string]*rlwe.Ciphertext) error {
	// Weights at the scale of the prime that rescaling divides by: the scale comes back exactly.
	top := p.params.MaxLevel()
	weights, err := p.encode(o.Y, top, rlwe.NewScale(o.Q[top]))
	if err != nil {
		return err
	}
	if result["weighted"], err = p.rescaled(p.eval.MulNew(x, weights)); err != nil {
		return err
	}
	turned, err := p.eval.RotateNew(x, 1)
	if err != nil {
		return err
	}
	both, err := p.eval.AddNew(x, turned)
	if err != nil {
		return err
	}
	z, err := p.eval.MulNew(both, weights)
	if err != nil {
		return err
	}
	back, err := p.eval.RotateNew(z, p.params.N()-1)
	if err != nil {
		return err
	}
	result["transformed"], err = p.rescaled(p.eval.AddNew(z, back))
	return err
}

// chain is rotate(xy)^2 + x.
func (p peer) chain(o offer, xy *rlwe.Ciphertext) (*rlwe.Ciphertext, error) {
	turned, err := p.eval.RotateNew(xy, chainStep)
	if err != nil {
		return nil, err
	}
	squared, err := p.rescaled(p.eval.MulRelinNew(turned, turned))
	if err != nil {
		return nil, err
	}
	added, err := p.encode(o.X, squared.Level(), squared.Scale)
	if err != nil {
		return nil, err
	}
	return p.eval.AddNew(squared, added)
}
