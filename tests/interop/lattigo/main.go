// Lattigo's side of the comparison with FFConv (docs/interop.md).
//
//	interop_lattigo OFFER ANSWER
//
// Checks what FFConv wrote into OFFER and writes its own encodings and ciphertexts into ANSWER. Prints a
// line a check; exit code 1 if any failed.
package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"sort"

	"github.com/tuneinsight/lattigo/v6/core/rlwe"
	"github.com/tuneinsight/lattigo/v6/ring"
	"github.com/tuneinsight/lattigo/v6/schemes/ckks"
)

const (
	// Slots from coefficients, in bits of the largest slot.
	embeddingBits = 40.0
	// Relative difference between FFConv's scale, a double, and ours of 128 bits.
	scaleTolerance = 1.0 / (1 << 48)
)

// encodingBits: rounding every coefficient to an integer gives slots an error of variance 2N / 12; six
// times its deviation, in bits.
func encodingBits(o offer) float64 {
	return float64(o.LogScale) - math.Log2(6*math.Sqrt(2*math.Exp2(float64(o.LogN))/12))
}

type report struct{ checks, failures int }

func (r *report) line(passed bool, format string, args ...any) {
	verdict := "ok    "
	r.checks++
	if !passed {
		r.failures++
		verdict = "FAILED"
	}
	fmt.Printf("  %s %s\n", verdict, fmt.Sprintf(format, args...))
}

// precision is -log2 of the largest and of the mean error.
func precision(got, want []float64) (worstBits, meanBits float64) {
	worst, total := 0.0, 0.0
	for j := range want {
		difference := math.Abs(got[j] - want[j])
		if math.IsNaN(difference) {
			difference = math.Inf(1)
		}
		worst = math.Max(worst, difference)
		total += difference
	}
	return -math.Log2(worst), -math.Log2(total / float64(len(want)))
}

// slotsOf is Lattigo's embedding of integer coefficients, unscaled.
func slotsOf(p peer, coefficients []int64) ([]float64, error) {
	pt := ckks.NewPlaintext(p.params, 0)
	pt.Scale = rlwe.NewScale(1)
	q := p.params.Q()[0]
	limb := make([]uint64, len(coefficients))
	for i, c := range coefficients {
		limb[i] = uint64(c+int64(q)) % q
	}
	if err := importPoly(p.params, [][]uint64{limb}, pt.Value); err != nil {
		return nil, err
	}
	slots := make([]float64, p.params.N())
	return slots, p.encoder.Decode(pt, slots)
}

// checkEmbedding: the same integer coefficients give the same slots.
func checkEmbedding(r *report, p peer, o offer) error {
	slots, err := slotsOf(p, o.Embedding.Coefficients)
	if err != nil {
		return err
	}
	largest := 0.0
	for _, slot := range slots {
		largest = math.Max(largest, math.Abs(slot))
	}
	bits, _ := precision(slots, o.Embedding.Slots)
	bits += math.Log2(largest)
	r.line(bits >= embeddingBits, "%-28s worst %.1f bits of the largest (at least %.1f)", "coefficients to slots", bits, embeddingBits)
	return nil
}

// checkPlaintext: FFConv's encoding of x decodes to x, and is the one that Lattigo makes.
func checkPlaintext(r *report, p peer, o offer) error {
	theirs := ckks.NewPlaintext(p.params, o.Plaintext.Level)
	theirs.Scale = rlwe.NewScale(o.Plaintext.Scale)
	if err := importPoly(p.params, o.Plaintext.Polys[0], theirs.Value); err != nil {
		return err
	}
	slots := make([]float64, p.params.N())
	if err := p.encoder.Decode(theirs, slots); err != nil {
		return err
	}
	bits, _ := precision(slots, o.X)
	r.line(bits >= encodingBits(o), "%-28s worst %.1f bits (at least %.1f)", "encoding decodes", bits, encodingBits(o))

	ours, err := p.encode(o.X, o.Plaintext.Level, theirs.Scale)
	if err != nil {
		return err
	}
	different, largest := compareResidues(exportPoly(p.params, ours.Value), o.Plaintext.Polys[0], p.params.Q())
	r.line(largest <= 1, "%-28s %d of %d residues differ, at most by %d (1: rounding)", "encoding is Lattigo's", different, len(o.Plaintext.Polys[0])*p.params.N(), largest)
	return nil
}

// compareResidues counts the residues that differ; largest is the largest difference modulo its prime.
func compareResidues(a, b [][]uint64, primes []uint64) (different int, largest uint64) {
	for i := range a {
		for j := range a[i] {
			d := (a[i][j] + primes[i] - b[i][j]) % primes[i]
			if d != 0 {
				different++
			}
			largest = max(largest, min(d, primes[i]-d))
		}
	}
	return different, largest
}

func checkCase(r *report, p peer, name string, want expected, ct *rlwe.Ciphertext, requiredBits float64) error {
	slots, err := p.decrypt(ct)
	if err != nil {
		return err
	}
	worst, mean := precision(slots, want.slots)
	requiredBits -= want.growthBits
	scale := ct.Scale.Float64()
	inPlace := ct.Level() == want.level && math.Abs(scale/want.scale-1) <= scaleTolerance
	text := fmt.Sprintf("%-28s level %d, scale 2^%.9f, worst %.1f bits, mean %.1f (at least %.1f)",
		name, ct.Level(), math.Log2(scale), worst, mean, requiredBits)
	if !inPlace {
		text += fmt.Sprintf("; expected level %d, scale 2^%.9f", want.level, math.Log2(want.scale))
	}
	r.line(inPlace && worst >= requiredBits, "%s", text)
	return nil
}

// checkControls: the comparison itself must be able to fail.
func checkControls(r *report, p peer, o offer, encryptedX *rlwe.Ciphertext) error {
	slots, err := p.decrypt(encryptedX)
	if err != nil {
		return err
	}
	order, _ := precision(slots, rotated(o.X, 1))
	r.line(order < 2, "%-28s worst %.1f bits (below 2)", "control: slots one off", order)

	other := append([]int64{}, o.Secret...)
	other[1] = 1 - other[1]*other[1]
	wrong := p
	wrong.sk = secretKey(p.params, other)
	if slots, err = wrong.decrypt(encryptedX); err != nil {
		return err
	}
	key, _ := precision(slots, o.X)
	r.line(key < 2, "%-28s worst %.1f bits (below 2)", "control: another secret", key)
	return nil
}

func checkOffer(r *report, p peer, o offer, theirs map[string]*rlwe.Ciphertext) error {
	if err := checkEmbedding(r, p, o); err != nil {
		return err
	}
	if err := checkPlaintext(r, p, o); err != nil {
		return err
	}
	want := expectations(o)
	names := make([]string, 0, len(want))
	for name := range want {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		ct, found := theirs[name]
		if !found {
			return fmt.Errorf("the offer has no ciphertext %q", name)
		}
		if err := checkCase(r, p, name, want[name], ct, o.RequiredBits); err != nil {
			return err
		}
	}
	return checkControls(r, p, o, theirs["fresh_secret"])
}

// makeAnswer: Lattigo's own encryptions and what it computes from them, and from FFConv's ("_of_peer").
func makeAnswer(p peer, o offer, theirs map[string]*rlwe.Ciphertext) (result answer, err error) {
	// Other coefficients than the offer's: those in reverse order.
	result.Embedding.Coefficients = append([]int64{}, o.Embedding.Coefficients...)
	slices.Reverse(result.Embedding.Coefficients)
	if result.Embedding.Slots, err = slotsOf(p, result.Embedding.Coefficients); err != nil {
		return result, err
	}
	pt, err := p.encode(o.Y, p.params.MaxLevel(), p.params.DefaultScale())
	if err != nil {
		return result, err
	}
	result.Plaintext = element{pt.Level(), pt.Scale.Float64(), [][][]uint64{exportPoly(p.params, pt.Value)}}
	result.Ciphertexts = map[string]element{}
	own, err := p.encryptMessages(o)
	if err != nil {
		return result, err
	}
	for name, ct := range own {
		result.Ciphertexts[name] = exportCiphertext(p.params, ct)
	}
	for suffix, inputs := range map[string]map[string]*rlwe.Ciphertext{"": own, "_of_peer": theirs} {
		computed, err := p.evaluate(o, inputs["fresh_secret"], inputs["fresh_public"])
		if err != nil {
			return result, err
		}
		for name, ct := range computed {
			result.Ciphertexts[name+suffix] = exportCiphertext(p.params, ct)
		}
	}
	return result, nil
}

func run(offerPath, answerPath string) (r report, err error) {
	o, err := readOffer(offerPath)
	if err != nil {
		return r, err
	}
	params, err := ckks.NewParametersFromLiteral(ckks.ParametersLiteral{
		LogN: o.LogN, Q: o.Q, P: o.P, LogDefaultScale: o.LogScale, RingType: ring.ConjugateInvariant,
	})
	if err != nil {
		return r, err
	}
	fmt.Printf("check by Lattigo of what FFConv made: N = 2^%d, seed %d\n", o.LogN, o.Seed)
	p := newPeer(params, secretKey(params, o.Secret))
	theirs := map[string]*rlwe.Ciphertext{}
	for name, e := range o.Ciphertexts {
		if theirs[name], err = importCiphertext(params, e); err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
	}
	if err = checkOffer(&r, p, o, theirs); err != nil {
		return r, err
	}
	result, err := makeAnswer(p, o, theirs)
	if err != nil {
		return r, err
	}
	fmt.Printf("%d checks, %d failed\n", r.checks, r.failures)
	return r, writeAnswer(answerPath, result)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: interop_lattigo OFFER ANSWER")
		os.Exit(2)
	}
	r, err := run(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop_lattigo:", err)
		os.Exit(1)
	}
	if r.failures > 0 {
		os.Exit(1)
	}
}
