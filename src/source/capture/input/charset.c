#include "source/capture/input/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/text.h"

/*
 * Words with letters beyond ASCII in the headings of netstat and tasklist. The bytes of a word in one code page occur
 * only in a text of that code page.
 */
static const struct {
    const char *word; /* UTF-8 */
    const char *charsets[3];
} marks[] = {
    { "ABHÖREN", { "CP850", "CP1252" } }, /* German */
    { "Speichernutzung (Größe)", { "CP850", "CP1252" } },
    { "état", { "CP850", "CP1252" } }, /* French: "Adresse distante      État" */
    { "État", { "CP850", "CP1252" } },
    { "Utilisation mémoire", { "CP850", "CP1252" } },
    { "Dirección", { "CP850", "CP1252" } }, /* Spanish */
    { "Endereço", { "CP850", "CP1252" } },  /* Portuguese */
    { "Ligações", { "CP850", "CP1252" } },
    { "Conexões", { "CP850", "CP1252" } },
    { "アドレス", { "CP932" } }, /* Japanese */
    { "プロトコル", { "CP932" } },
    { "イメージ名", { "CP932" } },
    { "адрес", { "CP866", "CP1251", "KOI8-R" } }, /* Russian */
    { "Имя", { "CP866", "CP1251", "KOI8-R" } },
};

bool charset_is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] >= 0x80)
            return false;
    }
    return true;
}

/* True if the text is UTF-8; its last character may be incomplete. */
static bool is_utf8(const char *text, size_t length)
{
    enum { CHARACTER_MAX = 4 };
    for (size_t at = 0; at < length;) {
        uint32_t code;
        size_t taken = text_utf8_decode(text + at, length - at, &code);
        if (taken == 0)
            return length - at < CHARACTER_MAX;
        at += taken;
    }
    return true;
}

static bool convert(
    const char *to, const char *from, const char *text, size_t length, char *out, size_t size, size_t *ret)
{
    iconv_t cd = iconv_open(to, from);
    if (cd == (iconv_t)-1) /* NOLINT(performance-no-int-to-ptr): POSIX requires this value */
        return false;
    char copy[256];
    bool fits = length < sizeof copy;
    memcpy(copy, text, fits ? length : sizeof copy);
    char *in = copy, *next = out;
    size_t left = fits ? length : sizeof copy, room = size;
    bool good = iconv(cd, &in, &left, &next, &room) != (size_t)-1;
    iconv_close(cd);
    *ret = size - room;
    return good && fits;
}

const char *charset_detect(const char *bytes, size_t length)
{
    if (is_utf8(bytes, length))
        return NULL;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        for (size_t c = 0; c < sizeof marks[i].charsets / sizeof *marks[i].charsets && marks[i].charsets[c] != NULL;
             c++) {
            char word[64];
            size_t word_length;
            if (convert(marks[i].charsets[c], "UTF-8", marks[i].word, strlen(marks[i].word), word, sizeof word,
                    &word_length) &&
                memmem(bytes, length, word, word_length) != NULL)
                return marks[i].charsets[c];
        }
    }
    return NULL;
}

void charset_decode(const char *charset, const char *text, size_t length, struct buf *out)
{
    char word[1024];
    size_t word_length;
    if (convert("UTF-8", charset, text, length, word, sizeof word, &word_length))
        buf_add(out, word, word_length);
    else
        buf_add(out, text, length);
}
