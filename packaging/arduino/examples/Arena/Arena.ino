// SPDX-License-Identifier: Apache-2.0 OR MIT
// A heap of 16 KiB of its own, and what happens when a block is freed twice.
#include <acre.h>

static char memory[16 * 1024];
static struct acre_tlsf heap;

void setup() {
  Serial.begin(115200);
  if (acre_tlsf_init(&heap, memory, sizeof memory) != ACRE_OK) {
    Serial.println("the memory is too small");
    return;
  }
  void *block = acre_tlsf_alloc(&heap, acre_layout(100, 8)).ptr;
  acre_tlsf_dealloc(&heap, block);
  Serial.println(acre_status_text(acre_tlsf_dealloc(&heap, block)));
}

void loop() {}
