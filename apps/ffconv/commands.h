// The subcommands. Each function registers one: its options, its help, and what runs when it is
// chosen. What a subcommand throws reaches main().
#pragma once

namespace CLI {
class App;
}

namespace ffconv::cli {

void add_check(CLI::App& app);
void add_factorize(CLI::App& app);
void add_compile(CLI::App& app);
void add_plan(CLI::App& app);
void add_keygen(CLI::App& app);
void add_encrypt(CLI::App& app);
void add_infer(CLI::App& app);
void add_decrypt(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_demo(CLI::App& app);
void add_doctor(CLI::App& app);
void add_bench(CLI::App& app);
void add_debug(CLI::App& app);

}  // namespace ffconv::cli
