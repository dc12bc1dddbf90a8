#include "fuzz/proto_mutator.h"

#include <limits>

namespace ffconv::testing {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void ProtoMutator::mutate(Message& message, const std::vector<std::string>& texts) {
  sites_.clear();
  messages_.clear();
  texts_ = texts;
  collect(message);
  change(sites_[below(sites_.size())]);
}

// All fields of the message and of those within it; texts that are there.
void ProtoMutator::collect(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  messages_.push_back(&message);
  for (int k = 0; k < message.GetDescriptor()->field_count(); ++k) {
    const FieldDescriptor* field = message.GetDescriptor()->field(k);
    sites_.push_back({&message, field});
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    const bool is_text = field->type() == FieldDescriptor::TYPE_STRING;
    if (field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field) && (is_message || is_text); ++i) {
        if (is_message) {
          collect(*reflection.MutableRepeatedMessage(&message, field, i));
        } else {
          texts_.push_back(reflection.GetRepeatedString(message, field, i));
        }
      }
    } else if (reflection.HasField(message, field)) {
      if (is_message) {
        collect(*reflection.MutableMessage(&message, field));
      } else if (is_text) {
        texts_.push_back(reflection.GetString(message, field));
      }
    }
  }
}

void ProtoMutator::change(const Site& site) {
  const Reflection& reflection = *site.message->GetReflection();
  if (site.field->is_repeated()) {
    change_list(site);
  } else if (reflection.HasField(*site.message, site.field) && below(8) == 0) {
    reflection.ClearField(site.message, site.field);
  } else {
    change_entry(site, -1);
  }
}

void ProtoMutator::change_list(const Site& site) {
  const Reflection& reflection = *site.message->GetReflection();
  const int size = reflection.FieldSize(*site.message, site.field);
  const int index = size == 0 ? 0 : static_cast<int>(below(static_cast<std::uint64_t>(size)));
  const std::uint64_t kind = size == 0 ? 3 : below(5);
  if (kind == 0) {
    reflection.SwapElements(site.message, site.field, index, size - 1);
    reflection.RemoveLast(site.message, site.field);
  } else if (kind == 1) {
    reflection.SwapElements(site.message, site.field, index,
                            static_cast<int>(below(static_cast<std::uint64_t>(size))));
  } else if (kind < 4) {
    constexpr int kMaxEntries = 4096;
    if (size < kMaxEntries) {
      change_entry(site, size);  // another one
    }
  } else {
    change_entry(site, index);
  }
}

// The entry `index` of a list (its size: one more), or the field itself (-1).
void ProtoMutator::change_entry(const Site& site, int index) {
  Message* message = site.message;
  const FieldDescriptor* field = site.field;
  const Reflection& reflection = *message->GetReflection();
  const bool is_new = index >= 0 && index == reflection.FieldSize(*message, field);
  const auto apply = [&](auto get, auto get_repeated, auto set, auto set_repeated, auto add,
                         auto next) {
    using Number = decltype((reflection.*get)(*message, field));
    const Number before = is_new      ? Number{}
                          : index < 0 ? (reflection.*get)(*message, field)
                                      : (reflection.*get_repeated)(*message, field, index);
    const auto after = static_cast<Number>(next(before));
    if (is_new) {
      (reflection.*add)(message, field, after);
    } else if (index < 0) {
      (reflection.*set)(message, field, after);
    } else {
      (reflection.*set_repeated)(message, field, index, after);
    }
  };
  const auto whole = [&](auto x) { return number(static_cast<std::int64_t>(x)); };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return apply(&Reflection::GetInt32, &Reflection::GetRepeatedInt32, &Reflection::SetInt32,
                   &Reflection::SetRepeatedInt32, &Reflection::AddInt32, whole);
    case FieldDescriptor::CPPTYPE_INT64:
      return apply(&Reflection::GetInt64, &Reflection::GetRepeatedInt64, &Reflection::SetInt64,
                   &Reflection::SetRepeatedInt64, &Reflection::AddInt64, whole);
    case FieldDescriptor::CPPTYPE_UINT64:
      return apply(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64, &Reflection::SetUInt64,
                   &Reflection::SetRepeatedUInt64, &Reflection::AddUInt64, whole);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return apply(&Reflection::GetFloat, &Reflection::GetRepeatedFloat, &Reflection::SetFloat,
                   &Reflection::SetRepeatedFloat, &Reflection::AddFloat,
                   [&](float x) { return real(x); });
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return apply(&Reflection::GetDouble, &Reflection::GetRepeatedDouble, &Reflection::SetDouble,
                   &Reflection::SetRepeatedDouble, &Reflection::AddDouble,
                   [&](double x) { return real(x); });
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* values = field->enum_type();
      const auto* value =
          values->value(static_cast<int>(below(static_cast<std::uint64_t>(values->value_count()))));
      if (field->is_repeated()) {
        return;
      }
      return reflection.SetEnum(message, field, value);
    }
    case FieldDescriptor::CPPTYPE_STRING:
      if (is_new) {
        return reflection.AddString(message, field, text(""));
      }
      if (index < 0) {
        return reflection.SetString(message, field, text(reflection.GetString(*message, field)));
      }
      return reflection.SetRepeatedString(
          message, field, index, text(reflection.GetRepeatedString(*message, field, index)));
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      // Copied first: to set one field of a oneof deletes another.
      const std::unique_ptr<Message> copy = copy_of_any(*field->message_type());
      Message* to = is_new      ? reflection.AddMessage(message, field)
                    : index < 0 ? reflection.MutableMessage(message, field)
                                : reflection.MutableRepeatedMessage(message, field, index);
      if (copy != nullptr) {
        to->CopyFrom(*copy);
      }
      return;
    }
    default:
      return;
  }
}

// A copy of some message of that type; nullptr if there is none, or it is large.
std::unique_ptr<Message> ProtoMutator::copy_of_any(const google::protobuf::Descriptor& type) {
  constexpr std::size_t kMaxBytes = 1 << 16;
  std::vector<const Message*> candidates;
  for (const Message* message : messages_) {
    if (message->GetDescriptor() == &type) {
      candidates.push_back(message);
    }
  }
  if (candidates.empty()) {
    return nullptr;
  }
  const Message& chosen = *candidates[below(candidates.size())];
  if (chosen.ByteSizeLong() > kMaxBytes) {
    return nullptr;
  }
  std::unique_ptr<Message> copy(chosen.New());
  copy->CopyFrom(chosen);
  return copy;
}

std::int64_t ProtoMutator::number(std::int64_t before) {
  constexpr std::int64_t kNotable[] = {0,
                                       1,
                                       -1,
                                       2,
                                       3,
                                       7,
                                       16,
                                       255,
                                       65535,
                                       65536,
                                       std::int64_t{1} << 24,
                                       std::int64_t{1} << 31,
                                       std::int64_t{1} << 53,
                                       std::numeric_limits<std::int64_t>::max(),
                                       std::numeric_limits<std::int64_t>::min()};
  switch (below(4)) {
    case 0:
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(before) + 1);
    case 1:
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(before) - 1);
    case 2:
      return static_cast<std::int64_t>(below(12));
    default:
      return kNotable[below(std::size(kNotable))];
  }
}

double ProtoMutator::real(double before) {
  const double notable[] = {0,
                            1,
                            -1,
                            0.5,
                            1e-30,
                            1e30,
                            std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN()};
  return below(2) == 0 ? -2 * before : notable[below(std::size(notable))];
}

std::string ProtoMutator::text(const std::string& before) {
  if (below(4) != 0 || before.empty()) {
    return texts_.empty() ? "" : texts_[below(texts_.size())];
  }
  std::string changed = before;
  if (below(2) == 0) {
    changed.resize(below(before.size() + 1));
  } else {
    char& byte = changed[below(changed.size())];
    byte = static_cast<char>(byte ^ 1 << below(7));
  }
  return changed;
}

}  // namespace ffconv::testing
