package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/tuneinsight/lattigo/v6/core/rlwe"
	"github.com/tuneinsight/lattigo/v6/ring"
	"github.com/tuneinsight/lattigo/v6/schemes/ckks"
)

// element is a plaintext or ciphertext: polynomials in coefficient form, basis 1, X^i + X^-i, one list of
// canonical residues a prime. No implementation's own form.
type element struct {
	Level int          `json:"level"`
	Scale float64      `json:"scale"`
	Polys [][][]uint64 `json:"polys"`
}

type embedding struct {
	Coefficients []int64   `json:"coefficients"`
	Slots        []float64 `json:"slots"`
}

// offer is what FFConv writes.
type offer struct {
	LogN         int                `json:"log_n"`
	Q            []uint64           `json:"q"`
	P            []uint64           `json:"p"`
	LogScale     int                `json:"log_scale"`
	RequiredBits float64            `json:"required_bits"`
	Seed         uint64             `json:"seed"`
	Secret       []int64            `json:"secret"`
	X            []float64          `json:"x"`
	Y            []float64          `json:"y"`
	Embedding    embedding          `json:"embedding"`
	Plaintext    element            `json:"plaintext"`
	Ciphertexts  map[string]element `json:"ciphertexts"`
}

// answer is what this program writes.
type answer struct {
	Embedding   embedding          `json:"embedding"`
	Plaintext   element            `json:"plaintext"`
	Ciphertexts map[string]element `json:"ciphertexts"`
}

func readOffer(path string) (result offer, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return result, err
	}
	return result, json.Unmarshal(data, &result)
}

func writeAnswer(path string, result answer) error {
	data, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// importPoly turns residues in coefficient form into p, which is in evaluation form.
func importPoly(params ckks.Parameters, limbs [][]uint64, p ring.Poly) error {
	level := p.Level()
	if len(limbs) != level+1 {
		return fmt.Errorf("polynomial of level %d: expected %d limbs, got %d", level, level+1, len(limbs))
	}
	for i, residues := range limbs {
		if len(residues) != params.N() {
			return fmt.Errorf("limb %d: expected %d residues, got %d", i, params.N(), len(residues))
		}
		for _, residue := range residues {
			if residue >= params.Q()[i] {
				return fmt.Errorf("limb %d: residue %d is not below %d", i, residue, params.Q()[i])
			}
		}
		copy(p.Coeffs[i], residues)
	}
	params.RingQ().AtLevel(level).NTT(p, p)
	return nil
}

func exportPoly(params ckks.Parameters, p ring.Poly) [][]uint64 {
	coefficients := *p.CopyNew()
	params.RingQ().AtLevel(p.Level()).INTT(coefficients, coefficients)
	return coefficients.Coeffs
}

func importCiphertext(params ckks.Parameters, e element) (*rlwe.Ciphertext, error) {
	ct := ckks.NewCiphertext(params, len(e.Polys)-1, e.Level)
	ct.Scale = rlwe.NewScale(e.Scale)
	for i := range e.Polys {
		if err := importPoly(params, e.Polys[i], ct.Value[i]); err != nil {
			return nil, err
		}
	}
	return ct, nil
}

func exportCiphertext(params ckks.Parameters, ct *rlwe.Ciphertext) element {
	e := element{Level: ct.Level(), Scale: ct.Scale.Float64()}
	for _, p := range ct.Value {
		e.Polys = append(e.Polys, exportPoly(params, p))
	}
	return e
}

// secretKey is Lattigo's form, over Q and P, of the key with these coefficients.
func secretKey(params ckks.Parameters, coefficients []int64) *rlwe.SecretKey {
	sk := rlwe.NewSecretKey(params)
	fill := func(p ring.Poly, primes []uint64) {
		for i, prime := range primes {
			for j, c := range coefficients {
				p.Coeffs[i][j] = uint64(c+int64(prime)) % prime
			}
		}
	}
	fill(sk.Value.Q, params.Q())
	fill(sk.Value.P, params.P())
	params.RingQP().NTT(sk.Value, sk.Value)
	params.RingQP().MForm(sk.Value, sk.Value)
	return sk
}
