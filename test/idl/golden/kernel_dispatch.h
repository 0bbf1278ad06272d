/* kernel_dispatch.h: from an object's kind, which is its protocol, to the decoder of its interface. Made by idlc. Do
 * not edit. */
#pragma once
#include "gadget_kernel.h"

/* Run the method that the tag names on `self`, which is of this kind. */
static inline l4_err_t kernel_dispatch(u32 kind, void *self, struct invocation *inv)
{
    switch (kind) {
    case GADGET_PROTOCOL: return gadget_dispatch(self, inv);
    default: return L4_NO_CAPABILITY;
    }
}
