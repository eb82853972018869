# answer.s - the answers: a head made to measure, and the body after it.

        .intel_syntax noprefix
        .include "linux-gas.inc"
        .include "forking/forking.inc"

        .global answer

HEAD_ANSWER_MAX         = 256       # above the longest head that can be made here

        .text
# answer - send a whole answer; the body is left out when the method is HEAD.
#
# In:      ebx      the connection
#          r12      the request line
#          rdi      the status
#          rsi      the header Content-Type, a counted text
#          rdx      the body
#          rcx      its length
# Clobbers: rax, rcx, rdx, rsi, rdi, r8 to r11, r13 to r15
# Errors:  ends the process by leave
#
# For the length of this routine:
#   r13    the body
#   r14    its length
#   r15    the status
answer: mov     r13, rdx
        mov     r14, rcx
        mov     r15, rdi
        mov     r9, rsi

        # The head. The status is a text with its CR LF, the headers are texts with theirs.
        lea     rdi, [rip + head]
        lea     rsi, [rip + text_version]
        call    append_text
        mov     rsi, r15
        call    append_text
        mov     rsi, r9
        call    append_text
        lea     rax, [rip + status_405]
        cmp     r15, rax
        jne     .Lallowed
        lea     rsi, [rip + header_allow]
        call    append_text
.Lallowed:
        lea     rsi, [rip + header_content_length]
        call    append_text
        mov     rax, r14
        call    append_number
        lea     rsi, [rip + text_head_end]
        call    append_text

        # Head and body go in one packet where they fit.
        lea     rsi, [rip + head]
        mov     rdx, rdi
        sub     rdx, rsi
        mov     r10d, MSG_MORE
        call    send
        call    is_head
        je      .Lanswered
        mov     rsi, r13
        mov     rdx, r14
        xor     r10d, r10d
        call    send
.Lanswered:
        ret

        .section .rodata
        counted text_version, "HTTP/1.1 "
        counted header_content_length, "Content-Length: "
        counted text_head_end, "\r\nConnection: close\r\n\r\n"
        counted header_allow, "Allow: GET, HEAD, POST\r\n"

        .bss
head:   .skip   HEAD_ANSWER_MAX

        .section .note.GNU-stack, "", @progbits
