#include "base/error.h"

#include <stdio.h>

int error_set(struct error *err, int code, const char *subject, const char *format, ...)
{
    if (err == NULL)
        return code;
    err->code = code;
    snprintf(err->subject, sizeof err->subject, "%s", subject ? subject : "");
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return code;
}
