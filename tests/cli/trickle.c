/* Copies standard input to standard output a byte at a time, or COUNT bytes: what comes after it
 * in a pipe reads short counts. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char bytes[4096];
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    if (count == 0 || count > sizeof bytes)
        return 2;
    for (;;) {
        ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
        if (n <= 0)
            return n < 0;
        for (ssize_t at = 0; at < n;) {
            size_t piece = (size_t)(n - at) < count ? (size_t)(n - at) : count;
            ssize_t written = write(STDOUT_FILENO, bytes + at, piece);
            if (written < 0)
                return 1;
            at += written;
        }
    }
}
