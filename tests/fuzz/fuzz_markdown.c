/* Pages on a terminal. The output must be harmless for any text. */
#include "fuzz.h"

#include "base/text.h"
#include "report/terminal/markdown.h"

static void render(const char *text, unsigned width, bool utf8)
{
    struct report_style style = { .width = width, .utf8 = utf8 };
    struct buf out = { 0 };
    if (markdown_render(text, &style, &out) == 0) {
        const char *shown = buf_text(&out);
        for (size_t i = 0; i < out.length;) {
            uint32_t c = 0;
            size_t taken = text_utf8_decode(shown + i, out.length - i, &c);
            FUZZ_EXPECT(taken > 0);
            FUZZ_EXPECT(c == '\n' || (c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0)));
            i += taken;
        }
    }
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    render(text, 60, true);
    render(text, 100, false);
    free(text);
    return 0;
}
