// Numbers are read and written the same in a user's locale whose decimal point is a comma, also by the ways around an old library.
#define AGENTD_SDK_FROM_CHARS_DOUBLE 0
#define AGENTD_SDK_TO_CHARS_DOUBLE 0
#include <agentd/sdk/types.hpp>

#include <clocale>
#include <cstdlib>
#include <iostream>
#include <locale>

int main() {
  std::locale::global(std::locale("de_DE.UTF-8"));
  if (!std::setlocale(LC_ALL, "de_DE.UTF-8") || std::strtod("1.5", nullptr) != 1) return std::cerr << "the locale is not in force\n", 2;
  const double read = agentd::sdk::from_json<double>(agentd::sdk::Json("1234.5"));
  const std::string written = agentd::sdk::to_json(1234.5);
  std::cerr << read << ' ' << written << '\n';
  return read == 1234.5 && written == "1234.5" ? 0 : 1;
}
