/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A stand-in for the Arduino core: enough to compile a sketch on a host and to see what it prints. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <cstdio>

struct Console {
    void begin(long)
    {
    }
    void println(const char *text)
    {
        std::puts(text);
    }
};
static Console Serial;

void setup();
void loop();

int main()
{
    setup();
    loop();
    return 0;
}

#endif
