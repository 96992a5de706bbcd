// SPDX-License-Identifier: Apache-2.0 OR MIT
// A game's loop, as its malloc sees it. usage: game [FRAMES]
// Every frame builds scratch lists, moves the entities, spawns some and removes others; now and then a
// level's asset is loaded. Prints a sum that does not depend on the malloc.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

struct entity {
    float place[16] = {};
    std::vector<int> parts;
    std::string name;
};

class dice {
  public:
    unsigned draw(unsigned bound)
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<unsigned>(state_ >> 33) % bound;
    }

  private:
    std::uint64_t state_ = 1;
};

using world = std::map<unsigned, std::unique_ptr<entity>>;

void spawn(world &live, dice &random, unsigned &next)
{
    for (int i = 0; i < 40; i++) {
        auto made = std::make_unique<entity>();
        made->parts.resize(random.draw(20));
        made->name = "entity number " + std::to_string(next);
        live[next++] = std::move(made);
    }
}

void remove_some(world &live, dice &random, unsigned next)
{
    for (int i = 0; i < 38 && !live.empty(); i++) {
        auto at = live.lower_bound(random.draw(next));
        live.erase(at == live.end() ? live.begin() : at);
    }
}

double move_all(const world &live, const std::vector<std::vector<float>> &scratch)
{
    double sum = 0;
    for (const auto &each : live) {
        for (int i = 0; i < 16; i++)
            each.second->place[i] += static_cast<float>(i) * 0.25F;
        sum += static_cast<double>(each.second->place[3]) +
               static_cast<double>(each.second->parts.size());
    }
    for (const auto &list : scratch)
        sum += static_cast<double>(list.back());
    return sum;
}

} // namespace

int main(int argc, char **argv)
{
    const int frames = argc > 1 ? std::atoi(argv[1]) : 2500;
    dice random;
    world live;
    unsigned next = 0;
    double sum = 0;
    for (int frame = 0; frame < frames; frame++) {
        std::vector<std::vector<float>> scratch;
        for (int i = 0; i < 50; i++) // grows on purpose
            // NOLINTNEXTLINE(performance-inefficient-vector-operation)
            scratch.emplace_back(16 + random.draw(256), static_cast<float>(i));
        spawn(live, random, next);
        remove_some(live, random, next);
        sum += move_all(live, scratch);
        if (frame % 100 == 0)
            sum += std::vector<char>(1U << 20, 1)[static_cast<std::size_t>(frame)];
    }
    std::printf("%zu entities, %.0f\n", live.size(), sum);
    return 0;
}
