/* SPDX-License-Identifier: BSD-2-Clause */
/* pipedtwo.c: as much of the next pipe server as shows that it has taken the state over. */
#include "pipedtwo_server.h"

static l4_err_t stat(u64 label, u32 end, struct pipe_info *now)
{
    const struct end *e = end_at(end);
    if (!e || e->owner != label) {
        return PIPE_BAD_END;
    }
    const struct pipe *p = pipe_at(e->of);
    *now = (struct pipe_info){ (u32)p->readers, (u32)p->writers, (u32)p->filled };
    return L4_OK;
}

static const struct pipedtwo_ops ops = { .stat = stat };

extern void pipedtwo_main(void);
void pipedtwo_main(void)
{
    pipedtwo_serve(&ops);
}
extern const struct l4_server *pipedtwo_description(u64 *bytes, u64 *window);
const struct l4_server *pipedtwo_description(u64 *bytes, u64 *window)
{
    *bytes = sizeof(struct pipedtwo_state);
    *window = PIPEDTWO_WINDOW_ADDRESS;
    return &pipedtwo_server;
}
