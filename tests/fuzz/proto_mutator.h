// Mutations of a protobuf message as such: what comes out can be serialized and parsed, so that a
// fuzzer reaches what lies behind the parser.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

namespace ffconv::testing {

class ProtoMutator {
 public:
  explicit ProtoMutator(std::uint64_t seed) : random_(seed) {}

  // Changes one field somewhere in the message: a number becomes another (often one at a limit), a
  // text another one of the message or of `texts`; an entry of a list is removed, doubled, moved or
  // copied from elsewhere; an optional field is set or cleared.
  void mutate(google::protobuf::Message& message, const std::vector<std::string>& texts);

 private:
  struct Site {
    google::protobuf::Message* message;
    const google::protobuf::FieldDescriptor* field;
  };
  void collect(google::protobuf::Message& message);
  void change(const Site& site);
  void change_list(const Site& site);
  void change_entry(const Site& site, int index);
  std::unique_ptr<google::protobuf::Message> copy_of_any(const google::protobuf::Descriptor& type);
  std::int64_t number(std::int64_t before);
  double real(double before);
  std::string text(const std::string& before);
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  std::mt19937_64 random_;
  std::vector<Site> sites_;
  std::vector<google::protobuf::Message*> messages_;
  std::vector<std::string> texts_;
};

}  // namespace ffconv::testing
