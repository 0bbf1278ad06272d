/* SPDX-License-Identifier: BSD-2-Clause */
/* replay.c: a main without libFuzzer: every input in a folder, once. Built by gcc for `axo test --coverage`. */
#include <abi/types.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { INPUT_MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static bool replay(const char *folder, const char *name)
{
    static u8 bytes[INPUT_MOST];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return LLVMFuzzerTestOneInput(bytes, size) == 0;
}

int main(int count, char **words)
{
    u32 inputs = 0;
    DIR *folder = count == 2 ? opendir(words[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "replay FOLDER: cannot be read\n");
        return 2;
    }
    for (struct dirent *entry; (entry = readdir(folder)); )
        inputs += entry->d_name[0] != '.' && replay(words[1], entry->d_name);
    closedir(folder);
    printf("%u inputs replayed\n", inputs);
    return inputs ? 0 : 1;
}
