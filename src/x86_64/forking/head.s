# head.s - reads a request up to the empty line that ends its headers.

        .intel_syntax noprefix
        .include "forking/forking.inc"

        .global read_head, request

        .text
# read_head - receive until the head is complete, however many pieces it comes in.
#
# What it lets pass is easy to take apart: every CR is followed by LF, every LF stands behind
# CR, and of the control characters only TAB remains. Empty lines before the request line are
# passed over, as RFC 9112, section 2.2 asks for.
#
# In:      ebx      the connection
# Out:     rax      0, or the status to refuse the request with
#          r12      the request line
#          r13      the body (see forking.inc); only when rax is 0
#          r14      the end of what was received
# Clobbers: rcx, rdx, rsi, rdi, r8, r9, r11
# Errors:  a client that leaves without a word ends the process by leave
#
# For the length of this routine:
#   r8     the current line
#   r9     the next byte to look at; all before it has been looked at once and is not again
read_head:
        lea     r12, [rip + request]
        mov     r14, r12
        mov     r8, r12
        mov     r9, r12

.Lmore: mov     rdi, r14
        lea     rdx, [rip + request + HEAD_MAX]
        sub     rdx, r14
        jz      .Ltoo_long
        call    receive
        test    eax, eax
        jz      .Lended
        add     r14, rax

        # The byte before the first one is 0, so that looking back is always allowed.
.Lbyte: cmp     r9, r14
        je      .Lmore
        mov     al, [r9]
        inc     r9
        cmp     al, LF
        je      .Lline
        cmp     byte ptr [r9 - 2], CR
        je      .Lbad
        cmp     al, SPACE
        jb      .Lcontrol
        cmp     al, DELETE
        jne     .Lbyte
        jmp     .Lbad
.Lcontrol:
        cmp     al, CR
        je      .Lbyte
        cmp     al, TAB
        je      .Lbyte
.Lbad:  lea     rax, [rip + status_400]
        ret

        # A line has ended. Is there nothing in it but CR LF?
.Lline: cmp     byte ptr [r9 - 2], CR
        jne     .Lbad
        lea     rax, [r8 + CRLF_SIZE]
        cmp     rax, r9
        je      .Lempty
        mov     r8, r9
        jmp     .Lbyte
.Lempty:
        cmp     r8, r12
        jne     .Lcomplete
        mov     r12, r9
        mov     r8, r9
        jmp     .Lbyte
.Lcomplete:
        mov     r13, r9
        xor     eax, eax
        ret

        # The client has closed its end. With half a request sent, it may still read why.
.Lended:
        cmp     r14, r12
        je      leave
        jmp     .Lbad

.Ltoo_long:
        lea     rax, [rip + status_431]
        cmp     r8, r12
        jne     .Lrefuse
        lea     rax, [rip + status_414]         # not even the request line has ended
.Lrefuse:
        ret

        # The whole request. It takes address space only: a page of memory is used, in this
        # child alone, when a byte of the request lands in it.
        .bss
        .skip   1
request:
        .skip   HEAD_MAX + BODY_MAX

        .section .note.GNU-stack, "", @progbits
