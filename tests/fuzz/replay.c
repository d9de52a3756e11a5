/* Gives each file of the folders named as arguments to a fuzz target; prints TAP. */
#include <dirent.h>
#include <errno.h>

#include "fuzz.h"

enum { FILE_MAX = 1 << 20 };

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    uint8_t *data = malloc(FILE_MAX);
    FUZZ_EXPECT(data != NULL);
    size_t size = fread(data, 1, FILE_MAX, file);
    fclose(file);
    /* Printed before the call: if it crashes, this is the last line. */
    printf("# %s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **entries;
        int entry_count = scandir(argv[i], &entries, is_visible, alphasort);
        if (entry_count < 0) {
            fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
            return 1;
        }
        for (int j = 0; j < entry_count; j++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entries[j]->d_name);
            replay_file(path);
            printf("ok %u - %s\n", ++count, entries[j]->d_name);
            free(entries[j]);
        }
        free(entries);
    }
    printf("1..%u\n", count);
    return count > 0 ? 0 : 1;
}
