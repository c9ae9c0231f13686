"""Who acts for a business: list, invitation, answer, removal."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from businesses.forms.members import InvitationForm
from businesses.models import Business, BusinessMember, MemberInvitation
from businesses.permissions import may_manage_members
from businesses.services import members as services
from businesses.services.refusals import BusinessRefused
from businesses.views.refusal_texts import add_refusal, refusal_text
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor


@roles_required(Role.OWNER)
@require_GET
def member_list(request: SignedInRequest, pk: int) -> HttpResponse:
    """Those who act for the business, and who is invited."""
    business = get_object_or_404(Business.objects.visible_to(request.user), pk=pk)
    context = {
        "business": business,
        "members": business.members.filter(is_active=True).select_related("user"),
        "invitations": business.invitations.all(),
        "may_manage": may_manage_members(Actor.of(request.user), business),
    }
    return render(request, "businesses/members/list.html", context)


@roles_required(Role.OWNER)
def member_add(request: SignedInRequest, pk: int) -> HttpResponse:
    """Invite an address; the page says the same whether it has an account or not."""
    business = get_object_or_404(Business.objects.visible_to(request.user), pk=pk)
    back_url = reverse("businesses:members", args=[business.pk])
    form = InvitationForm(request.POST or None, cancel_url=back_url)
    if request.method == "POST" and form.is_valid():
        try:
            services.invite_member(
                actor=Actor.of(request.user), business=business, email=form.cleaned_data["email"]
            )
        except BusinessRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(
                request,
                _("The invitation is stored. The person finds it after signing in."),
            )
            return redirect(back_url)
    context = {
        "form": form,
        "title": _("Invite a member"),
        "above": business.name,
        "lead": _(
            "Members see and change everything of this business. Tell the person to sign up or "
            "sign in with this address: the invitation waits under “My businesses”."
        ),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)


@roles_required(Role.OWNER)
def member_remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask, then end a membership."""
    member = get_object_or_404(
        BusinessMember.objects.visible_to(request.user)
        .filter(is_active=True)
        .select_related("business", "user"),
        pk=pk,
    )
    back_url = reverse("businesses:members", args=[member.business_id])
    if request.method == "POST":
        try:
            services.remove_member(actor=Actor.of(request.user), member=member)
        except BusinessRefused as refused:
            messages.error(request, refusal_text(refused))
            return redirect(back_url)
        messages.success(request, _("The membership has ended."))
        is_self = member.user_id == request.user.pk
        return redirect("businesses:list") if is_self else redirect(back_url)
    context = {
        "title": _("End a membership"),
        "above": member.business.name,
        "text": _("%(name)s will no longer see or change anything of this business.")
        % {"name": member.user.name},
        "label": _("End the membership"),
        "back_url": back_url,
    }
    return render(request, "businesses/confirm_page.html", context)


@roles_required(Role.OWNER)
@require_POST
def member_promote(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let a member manage the others too."""
    member = get_object_or_404(
        BusinessMember.objects.visible_to(request.user).filter(is_active=True), pk=pk
    )
    try:
        services.make_manager(actor=Actor.of(request.user), member=member)
    except BusinessRefused as refused:
        messages.error(request, refusal_text(refused))
    return redirect("businesses:members", pk=member.business_id)


@roles_required(Role.OWNER)
@require_POST
def invitation_withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """A manager takes an invitation back."""
    invitation = get_object_or_404(
        MemberInvitation.objects.filter(business__in=Business.objects.visible_to(request.user)),
        pk=pk,
    )
    try:
        services.withdraw_invitation(actor=Actor.of(request.user), invitation=invitation)
    except BusinessRefused as refused:
        messages.error(request, refusal_text(refused))
    else:
        messages.success(request, _("The invitation is withdrawn."))
    return redirect("businesses:members", pk=invitation.business_id)


@roles_required(Role.OWNER)
@require_POST
def invitation_answer(request: SignedInRequest, pk: int) -> HttpResponse:
    """The invited person accepts (button `accept`) or declines."""
    invitation = get_object_or_404(MemberInvitation.objects.addressed_to(request.user), pk=pk)
    actor = Actor.of(request.user)
    if "accept" not in request.POST:
        services.decline_invitation(actor=actor, invitation=invitation)
        messages.success(request, _("You have declined the invitation."))
        return redirect("businesses:list")
    try:
        member = services.accept_invitation(actor=actor, invitation=invitation)
    except BusinessRefused as refused:
        messages.error(request, refusal_text(refused))
        return redirect("businesses:list")
    messages.success(request, _("You now act for this business."))
    return redirect("businesses:detail", pk=member.business_id)
