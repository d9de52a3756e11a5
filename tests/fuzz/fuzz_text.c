/* Output for a person or a program must be harmless for any input. */
#include "fuzz.h"

#include "base/json.h"
#include "base/text.h"

/* Fails unless the text is one line of UTF-8 that cannot act on a terminal. */
static void expect_harmless(const char *text, size_t length)
{
    FUZZ_EXPECT(strlen(text) == length);
    for (size_t i = 0; i < length;) {
        uint32_t c = 0;
        size_t taken = text_utf8_decode(text + i, length - i, &c);
        FUZZ_EXPECT(taken > 0);
        FUZZ_EXPECT(c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0));
        FUZZ_EXPECT(!(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069));
        i += taken;
    }
}

static void escape(const char *text)
{
    struct buf once = { 0 };
    text_escape(&once, text);
    expect_harmless(buf_text(&once), once.length);
    FUZZ_EXPECT(text_width(buf_text(&once)) <= 2 * once.length);
    buf_deinit(&once);
}

/* No word is lost. A line is too long only if it is a single word. */
static void wrap(const char *text, size_t indent, size_t width)
{
    struct buf escaped = { 0 }, wrapped = { 0 };
    text_escape(&escaped, text);
    text_wrap(&wrapped, buf_text(&escaped), indent, width);

    const char *in = buf_text(&escaped), *out = buf_text(&wrapped);
    for (;;) {
        in += strspn(in, " \n");
        out += strspn(out, " \n");
        size_t length = strcspn(in, " \n");
        FUZZ_EXPECT(strcspn(out, " \n") == length && strncmp(in, out, length) == 0);
        if (length == 0)
            break;
        in += length;
        out += length;
    }

    bool first = true;
    for (char *line = wrapped.data; line != NULL && *line != '\0'; first = false) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        size_t columns = text_width(line) + (first ? indent : 0);
        bool several_words = strchr(line + strspn(line, " "), ' ') != NULL;
        FUZZ_EXPECT(columns <= width || !several_words);
        line = end != NULL ? end + 1 : NULL;
    }
    buf_deinit(&escaped);
    buf_deinit(&wrapped);
}

/* A JSON string: in quotes, UTF-8, no bare control character or quote (RFC 8259 §7). */
static void json(const char *text)
{
    char *out = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&out, &length);
    FUZZ_EXPECT(file != NULL);
    struct json writer;
    json_begin(&writer, file, true);
    json_string(&writer, text);
    FUZZ_EXPECT(json_end(&writer) == 0);
    fclose(file);

    FUZZ_EXPECT(length >= 3 && out[0] == '"' && out[length - 2] == '"' && out[length - 1] == '\n');
    for (size_t i = 1; i < length - 2;) {
        uint32_t c = 0;
        size_t taken = text_utf8_decode(out + i, length - 2 - i, &c);
        FUZZ_EXPECT(taken > 0 && c >= 0x20 && c != '"');
        i += taken;
        if (c == '\\') {
            FUZZ_EXPECT(i < length - 2 && strchr("\"\\/bfnrtu", out[i]) != NULL);
            i++;
        }
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    escape(text);
    json(text);
    wrap(text, size % 20, 20 + size % 100);

    struct buf out = { 0 };
    uint64_t number;
    if (text_parse_duration(text, &number) == 0)
        text_duration(&out, number);
    if (text_parse_number(text, UINT64_MAX, &number) == 0) {
        buf_clear(&out);
        text_count(&out, number);
        buf_char(&out, ' ');
        text_bytes(&out, number);
    }
    expect_harmless(buf_text(&out), out.length);
    FUZZ_EXPECT(text_distance(text, text) == 0 || strlen(text) > 63);
    buf_deinit(&out);
    free(text);
    return 0;
}
