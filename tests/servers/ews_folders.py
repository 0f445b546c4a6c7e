"""Operations on folders at the Exchange fake."""

from itertools import count

from tests.servers.ews_items import Items, RefusedError
from tests.servers.ews_truth import OWNER, Folder
from tests.servers.ews_xml import Xml, answer, bad, every, first, good, m, name_of, t, words

_ids = count(1)
_KINDS = {"IPF.Appointment": "CalendarFolder", "IPF.Contact": "ContactsFolder"}
_CLASSES = {"CalendarFolder": "IPF.Appointment", "ContactsFolder": "IPF.Contact"}


class Folders:
    """Operates on the folders of a mailbox; ``others`` are calendars of other people."""

    def __init__(self, items: Items) -> None:
        self.items = items
        self.mailbox = items.mailbox
        self.page_size = 512
        self.others: dict[str, str] = {}  # address → folder id
        self._states: dict[str, tuple[int, list[str]]] = {}

    def get(self, asked: Xml) -> Xml:
        ids = first(asked, "m:FolderIds")
        return answer("GetFolder", *(self._got(one) for one in ids))

    def _got(self, one: Xml) -> Xml:
        mailbox = words(one, "t:Mailbox/t:EmailAddress")
        if mailbox and mailbox.casefold() != OWNER:
            if mailbox not in self.others:
                return bad("GetFolder", "ErrorNonExistentMailbox", "no mailbox", m("Folders"))
            other = Folder(self.others[mailbox], "Calendar", "", "IPF.Appointment", "calendar")
            return good("GetFolder", m("Folders", self._shown(other)))
        holder = m("FolderIds", one)
        try:
            folder = self.items.folder(holder)
        except RefusedError as error:
            return bad("GetFolder", error.code, error.text, m("Folders"))
        return good("GetFolder", m("Folders", self._shown(folder)))

    def find(self, asked: Xml) -> Xml:
        parent = self.items.folder(first(asked, "m:ParentFolderIds"))
        deep = asked.get("Traversal") == "Deep"
        found = [one for one in self.mailbox.folders.values() if self._in(one, parent, deep=deep)]
        root = m(
            "RootFolder",
            t("Folders", *map(self._shown, found)),
            TotalItemsInView=str(len(found)),
            IncludesLastItemInRange="true",
        )
        return answer("FindFolder", good("FindFolder", root))

    def _in(self, one: Folder, parent: Folder, *, deep: bool) -> bool:
        above = one.parent
        while deep and above and above != parent.id:
            above = self.mailbox.folders[above].parent
        return above == parent.id

    def sync(self, asked: Xml) -> Xml:
        name, token = "SyncFolderHierarchy", words(asked, "m:SyncState")
        known = self.mailbox.folders
        if not token:
            left = [
                one.id for one in known.values() if one.special not in ("root", "msgfolderroot")
            ]
            position, kind = len(self.mailbox.log), "Create"
        elif token not in self._states:
            return answer(name, bad(name, "ErrorInvalidSyncStateData"))
        else:
            position, left = self._states[token]
            kind = "Create" if left else "Update"
            if not left:
                left = list(dict.fromkeys(self.mailbox.log[position:]))
                position = len(self.mailbox.log)
        page, left = left[: self.page_size], left[self.page_size :]
        new = f"H4sIHIER{next(_ids):08}"
        self._states[new] = (position, left)
        changes = [
            t(kind, self._shown(known[key])) if key in known else t("Delete", t("FolderId", Id=key))
            for key in page
        ]
        message = good(
            name,
            m("SyncState", new),
            m("IncludesLastFolderInRange", "false" if left else "true"),
            m("Changes", *changes),
        )
        return answer(name, message)

    def create(self, asked: Xml) -> Xml:
        parent = self.items.folder(first(asked, "m:ParentFolderId"))
        made = list[Xml]()
        for one in first(asked, "m:Folders"):
            name, kind = words(one, "t:DisplayName"), name_of(one)
            if any(
                (other.parent, other.name.casefold()) == (parent.id, name.casefold())
                for other in self.mailbox.folders.values()
            ):
                text = "A folder with the specified name already exists."
                return answer("CreateFolder", bad("CreateFolder", "ErrorFolderExists", text))
            given = words(one, "t:FolderClass")
            folder = self.mailbox.add(
                name, parent=parent.id, kind=given or _CLASSES.get(kind, "IPF.Note")
            )
            made.append(t(kind, t("FolderId", Id=folder.id, ChangeKey="CK")))
        return answer("CreateFolder", good("CreateFolder", m("Folders", *made)))

    def delete(self, asked: Xml) -> Xml:
        for one in every(asked, "m:FolderIds/*"):
            folder = self.items.folder(m("FolderIds", one))
            if folder.special:
                raise RefusedError(
                    "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted."
                )
            self.mailbox.remove(folder)
        return answer("DeleteFolder", good("DeleteFolder"))

    def _shown(self, one: Folder) -> Xml:
        rights = {"CreateContents": "false" if one.read_only else "true", "Read": "true"}
        told = [t(name, value) for name, value in rights.items()]
        return t(
            _KINDS.get(one.kind, "Folder"),
            t("FolderId", Id=one.id, ChangeKey="AQAAAB=="),
            t("ParentFolderId", Id=one.parent or one.id, ChangeKey="AQAAAA=="),
            t("FolderClass", one.kind),
            t("DisplayName", one.name),
            t("TotalCount", str(len(one.items))),
            t("ChildFolderCount", "0"),
            t("EffectiveRights", *told),
        )
