/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_random.c: a main() for fuzzers where there is no libFuzzer: seeded bytes, mostly small. `fuzz ROUNDS SEED`. */
#include <stdio.h>
#include <stdlib.h>
#include "fuzz.h"

int main(int count, char **words)
{
    u64 rounds = count > 1 ? strtoul(words[1], NULL, 0) : 2000, seed = count > 2 ? strtoul(words[2], NULL, 0) : 1;
    static u8 data[600];
    for (u64 i = 0; i < rounds; i++) {
        for (size_t b = 0; b < sizeof data; b++) {
            seed = seed * 6364136223846793005ul + 1442695040888963407ul;
            u8 byte = (u8)(seed >> 56);
            data[b] = byte & 1 ? byte >> 5 : byte;
        }
        LLVMFuzzerTestOneInput(data, sizeof data);
    }
    printf("%lu inputs, %lu requests, %lu done\n", rounds, fuzz_requests, fuzz_done);
    return 0;
}
