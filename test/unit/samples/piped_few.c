/* SPDX-License-Identifier: BSD-2-Clause */
/* piped_few.c: a kill test that forgets a method: it must fail. */
#include "piped_kill.h"

int main(int count, char **words)
{
    static const struct kill_request requests[] = { { .method = PIPED_KILL_MAKE }, { 0 } };
    return kill_main(count, words, &piped_kill, requests, NULL, NULL);
}
