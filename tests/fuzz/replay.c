/* Runs a fuzz target on the files of folders, and on every prefix of the small ones. */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include <dirent.h>

enum { largest = 1 << 20, all_prefixes = 2048 };

static void replay(const char *folder, const char *name)
{
    char path[1024];
    static uint8_t bytes[largest];
    fuzz_demand((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) < sizeof path);
    FILE *file = fopen(path, "rb");
    fuzz_demand(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t n = size <= all_prefixes ? 0 : size; n <= size; n++) {
        /* a copy of just that size, so that a read beyond it is seen */
        uint8_t *copy = malloc(n + !n);
        fuzz_demand(copy);
        memcpy(copy, bytes, n);
        LLVMFuzzerTestOneInput(copy, n);
        free(copy);
    }
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        fuzz_demand(folder);
        for (struct dirent *entry; (entry = readdir(folder));)
            if (entry->d_name[0] != '.') {
                replay(argv[i], entry->d_name);
                count++;
            }
        closedir(folder);
    }
    printf("%d files\n", count);
    return count == 0;
}
