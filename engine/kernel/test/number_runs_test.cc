// Arrays of numbers in JSON texts: whole ones, cut ones, and bytes that are no text.
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "elanus/kernel.h"

namespace {

struct Found {
  std::vector<ElanusNumberRun> runs;
  std::vector<double> numbers;
};

// The text lies at the very end of its memory, and there is as much room as the count says.
Found find(const std::string& text, size_t least = 3) {
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  size_t numbers = 0;
  size_t arrays = 0;
  elanus_count_numbers(bytes.data(), bytes.size(), &numbers, &arrays);
  Found found{std::vector<ElanusNumberRun>(arrays), std::vector<double>(numbers)};
  found.runs.resize(elanus_number_runs(bytes.data(), bytes.size(), least, found.runs.data(), arrays,
                                       found.numbers.data(), numbers));
  return found;
}

void finds_arrays() {
  const auto [runs, numbers] = find(R"({"a":[1,2.5,-3e2],"b":"[1,2,3]\"[4,5,6]","c":[[7,8,9],[1,2]]})");
  CHECK(runs.size() == 2);
  CHECK(runs[0].begin == 5 && runs[0].end == 17 && runs[0].first == 0 && runs[0].count == 3);
  CHECK(numbers[0] == 1 && numbers[1] == 2.5 && numbers[2] == -300);
  CHECK(runs[1].first == 3 && runs[1].count == 3 && numbers[3] == 7);
}

void leaves_out_what_has_no_room() {
  const std::string text = "[1,2,3,4]";
  ElanusNumberRun run;
  double numbers[3];
  CHECK(elanus_number_runs(reinterpret_cast<const uint8_t*>(text.data()), text.size(), 1, &run, 1, numbers, 3) == 0);
  CHECK(elanus_number_runs(reinterpret_cast<const uint8_t*>(text.data()), text.size(), 1, &run, 0, numbers, 3) == 0);
}

void reads_no_further_than_the_text() {
  const std::string text = R"({"a":[1,2.5,-3e2 ],"\\":"x\"y","c":[[0.7e-1,8,9],[12,2]]})";
  for (size_t length = 0; length <= text.size(); ++length) {
    checked_case = text.substr(0, length);
    for (const auto& run : find(text.substr(0, length)).runs) CHECK(run.end <= length);
  }
  std::mt19937 random(7);
  const std::string letters = "[],\"\\0123456789.eE-+ x{}:";
  for (int i = 0; i < 20'000; ++i) {
    std::string noise(random() % 40, ' ');
    for (char& c : noise) c = letters[random() % letters.size()];
    checked_case = noise;
    for (const auto& run : find(noise).runs) CHECK(noise[run.begin] == '[' && noise[run.end - 1] == ']');
  }
}

}  // namespace

int main() {
  finds_arrays();
  leaves_out_what_has_no_room();
  reads_no_further_than_the_text();
}
