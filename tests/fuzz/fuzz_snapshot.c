/* A saved snapshot, which may come from anybody. It is diagnosed, and written to be read again. */
#include "fuzz.h"

#include "diagnose/diagnose.h"
#include "saved.h"

/* As cmd/inspect.c does. */
static void judge(const struct snapshot *snapshot)
{
    struct diagnosis diagnosis;
    diagnose(snapshot, NULL, NULL, &diagnosis);
    diagnosis_deinit(&diagnosis);
}

/* What the program writes it reads completely, and writes the same again. */
static void read_again(const char *text)
{
    struct snapshot snapshot, previous;
    struct error err = { 0 };
    snapshot_init(&snapshot);
    snapshot_init(&previous);
    FUZZ_EXPECT(saved_read_bytes(text, strlen(text), &snapshot, &previous, &err) == 0);
    char *again = saved_to_text(&snapshot);
    FUZZ_EXPECT(strcmp(again, text) == 0);
    free(again);
    snapshot_deinit(&snapshot);
    snapshot_deinit(&previous);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = (char *)fuzz_bytes(data, size);
    struct snapshot snapshot, previous;
    struct error err = { 0 };
    snapshot_init(&snapshot);
    snapshot_init(&previous);
    int result = saved_read_bytes(bytes, size, &snapshot, &previous, &err);
    if (result >= 0) {
        judge(&snapshot);
        char *text = saved_to_text(&snapshot);
        read_again(text);
        free(text);
    } else {
        FUZZ_EXPECT(err.message[0] != '\0');
    }
    snapshot_deinit(&snapshot);
    snapshot_deinit(&previous);
    free(bytes);
    return 0;
}
