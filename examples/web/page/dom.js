// Makes elements. Text is never parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element with properties or attributes, and children: elements or strings. */
export function make(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** Make an SVG element. */
export function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

export const find = (id) => document.getElementById(id);

/** Update the keyed children of a list, and leave unchanged ones in place. */
export function keyed(list, items, key, render, update) {
  const known = new Map([...list.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, place) => {
    let child = known.get(key(item));
    if (child) known.delete(key(item));
    else {
      child = render(item);
      child.dataset.key = key(item);
    }
    update(child, item);
    if (list.children[place] !== child) list.insertBefore(child, list.children[place] ?? null);
  });
  known.forEach((child) => child.remove());
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && !(element instanceof SVGElement)) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}
