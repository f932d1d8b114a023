"""Reads a site of static pages as a browser and a screen reader would, and prints what is wrong with it as a JSON list.

    judge.py FOLDER

Every tag is closed, every link and every fragment leads somewhere within the folder, nothing is loaded or run, every
table has heads, every picture has words, every page one h1 and no heading a level too deep.
"""

import html.parser
import json
import pathlib
import sys
import urllib.parse

VOID = {'meta', 'link', 'input', 'br', 'img', 'path', 'rect', 'circle'}
HEADINGS = {f'h{level}': level for level in range(1, 7)}


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.named = True
        self.open, self.wrong, self.links, self.ids, self.levels = [], [], [], [], []
        self.feed(text)
        self.close()
        self.wrong += [f'<{tag}> is never closed' for tag in self.open]

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if len(given) != len(attributes):
            self.wrong.append(f'<{tag}> has an attribute twice')
        if tag in ('script', 'iframe', 'img', 'object', 'embed', 'form', 'base') or any(name.startswith('on') for name in given):
            self.wrong.append(f'<{tag}> {given} is run or loaded')
        if 'src' in given or (tag == 'link' and not given.get('href', '').startswith('data:')):
            self.wrong.append(f'<{tag}> {given} is loaded from elsewhere')
        if tag == 'a':
            self.links.append(given.get('href') or '')
        if 'id' in given:
            self.ids.append(given['id'])
        if self.open[-1:] == ['svg'] and tag != 'title' and not self.named:
            self.wrong.append('a picture without words')
        # A title that comes first, or a label, names the picture.
        self.named = 'aria-label' in given if tag == 'svg' else True
        if tag == 'th' and given.get('scope') not in ('col', 'row'):
            self.wrong.append('a head that is of no column and no row')
        if tag in HEADINGS:
            if self.levels and HEADINGS[tag] > self.levels[-1] + 1:
                self.wrong.append(f'{tag} stands below h{self.levels[-1]}')
            self.levels.append(HEADINGS[tag])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f'</{tag}> closes {self.open[-1:]}')
        else:
            self.open.pop()


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    pages = {path: Page(path.read_text()) for path in sorted(root.rglob('*.html'))}
    wrong = [] if pages else ['there are no pages']
    for path, page in pages.items():
        found = list(page.wrong)
        found += [f'the id {one} stands twice' for one in sorted({one for one in page.ids if page.ids.count(one) > 1})]
        if page.levels.count(1) != 1:
            found.append(f'{page.levels.count(1)} headings of the first level')
        text = path.read_text()
        if text.count('<table') != text.count('<thead>'):
            found.append('a table without heads')
        for link in page.links:
            where, _, fragment = link.partition('#')
            if urllib.parse.urlsplit(where).scheme:
                found.append(f'{link} leads away')
                continue
            target = (path.parent / urllib.parse.unquote(where)).resolve() if where else path
            if target not in pages:
                found.append(f'{link} leads nowhere')
            elif fragment and urllib.parse.unquote(fragment) not in pages[target].ids:
                found.append(f'{link} leads to no place of its page')
        wrong += [f'{path.relative_to(root)}: {one}' for one in found]
    print(json.dumps(wrong))


main()
