"""How near the engine is to what the machine can do: transforms to their operations, a rotation to its kernels,
two threads to two processes, ten operations to ten times one."""

# Operations of a butterfly on one vector, butterflies a vector; fused multiply-adds count one.
BUTTERFLY = {"avx2": (8, 4), "avx512": (8, 8), "avx512ifma": (6, 8)}
ROUNDS = 20
MOST_ROUNDS = 100  # where the machine is busy


def operations_per_cycle(tier, vendor):
    """Vector arithmetic operations that may start in a cycle: 256-bit floating-point ones on AMD have two units for
    products and two for sums; Intel has two in all; 512-bit ones two on both."""
    return 4 if tier == "avx2" and vendor == "AuthenticAMD" else 2


def transform_limit_us(tier, log_n, vendor, ghz):
    """log_n stages of N / 2 butterflies; the fold is one stage more."""
    operations, width = BUTTERFLY[tier]
    butterflies = 2 ** (log_n - 1) * (log_n + 1)
    return butterflies / width * operations / operations_per_cycle(tier, vendor) / (1000 * ghz)


def transforms(minima, vendor, ghz):
    """minima: {(op, log_n, tier): microseconds}."""
    rows = []
    for (op, log_n, tier), us in minima.items():
        if op in ("ntt_forward", "ntt_inverse") and tier in BUTTERFLY:
            limit = transform_limit_us(tier, log_n, vendor, ghz)
            operations, width = BUTTERFLY[tier]
            rows.append({
                "op": op, "log_n": log_n, "tier": tier, "us": us, "limit_us": limit, "ratio": us / limit,
                "ratio_without_fold": us / limit * (log_n + 1) / log_n,
                "cycles_per_vector": operations / operations_per_cycle(tier, vendor), "butterflies_per_vector": width,
                "stages": log_n + 1,
            })
    return rows


def in_turns(gate, side, *commands):
    """For each command its shortest answer in microseconds, and for all how many rounds counted."""
    rounds = []
    while len(rounds) < MOST_ROUNDS and sum(map(gate.passes_all, rounds)) < ROUNDS:
        rounds.append([gate.sample(side, *command) for command in commands])
    counted = [samples for samples in rounds if gate.passes_all(samples)]
    return [min(sample.us for sample in samples) for samples in zip(*(counted or rounds))], len(counted)


def rotation_over_kernels(gate, side, tier, log_n=14):
    """The shortest rotation over the shortest sum of its kernels: each call repeated on its own operands, in cache
    then; and as the rotation runs them."""
    sums = []
    (rotate_us,), counted = in_turns(gate, side, ("rotate", log_n, 1))
    for _ in range(ROUNDS):
        sums.append(side.ask("kernels", log_n))
    (again_us,), counted_again = in_turns(gate, side, ("rotate", log_n, 1))
    best = min(sums, key=lambda answer: answer["us"])
    in_place_us = min(answer["in_place_us"] for answer in sums)
    rotate_us = min(rotate_us, again_us)
    return {"tier": tier, "log_n": log_n, "rotate_us": rotate_us, "kernels_us": best["us"],
            "ratio": rotate_us / best["us"], "kernels_in_place_us": in_place_us,
            "ratio_in_place": rotate_us / in_place_us, "samples": counted + counted_again, "kernels": best["kernels"],
            "untimed_kernels": best["untimed_kernels"]}


def scaling(gate, side, tier, log_n=14):
    """Ten rotations of different ciphertexts over ten times one."""
    (one_us, ten_us), counted = in_turns(gate, side, ("rotate", log_n, 1), ("rotate", log_n, 10))
    return {"op": "rotate", "tier": tier, "log_n": log_n, "one_us": one_us, "ten_us": ten_us, "samples": counted,
            "ratio": ten_us / (10 * one_us)}


def two_threads(pair, threaded, tier, log_n=14):
    """Operations a second of one process with two threads over those of two processes with one thread each, which
    run at the same time; the best round of each."""
    rows = []
    for op, count in (("rotate", 20), ("linear_transform_128", 2)):
        best_threaded = best_pair = 0.0
        for side in (*pair, threaded):
            side.ask("run", op, log_n, 1)  # makes keys and operands
        for _ in range(ROUNDS):
            best_threaded = max(best_threaded, 1e6 * count / threaded.ask("run", op, log_n, count))
            for side in pair:
                side.send("run", op, log_n, count)
            best_pair = max(best_pair, sum(1e6 * count / side.receive() for side in pair))
        rows.append({"op": op, "tier": tier, "log_n": log_n, "two_threads_per_s": best_threaded,
                     "two_processes_per_s": best_pair, "ratio": best_threaded / best_pair})
    return rows
